"""The tables of the study."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from vaekit.runs.table import markdown
from vaekit.studies.aevb.claims import RERUN, claims
from vaekit.studies.aevb.findings import DATA_NAMES, Findings, Numbers, Pair, millions, value_at
from vaekit.studies.verdict import verdict_table

SUMMARY_NATS: Final = 88.0
"""Of latent 30, as a summary of AEVB has it: "about 88"."""
PAPER_MINUTES: Final = "20 to 40"
BENCHMARK: Final = Path("benchmarks/results/mnist.json")
NAMES: Final = {"aevb": "AEVB", "wake_sleep": "wake-sleep", "mcem": "Monte Carlo EM"}


def blocks(folder: Path, benchmark: Path = BENCHMARK) -> dict[str, str]:
    """Every block of the page, by its name.

    Args:
        folder: Of the study.
        benchmark: JSON of `vaekit benchmark mnist`, for the recipe `mnist_aevb30`.
    """
    found = Findings(folder)
    return {
        "verdicts": markdown(verdict_table(claims(found))),
        "bounds": markdown(bounds(found)),
        "published": markdown(published(found, benchmark)),
        "likelihoods": markdown(likelihoods(found)),
        "starts": markdown(starts(found)),
        "speed": markdown(speed(found)),
    }


def bounds(found: Findings) -> list[dict[str, Any]]:
    """A row for each setting of the second figure, AEVB beside wake-sleep."""
    rows = []
    for method in ("adagrad", "adam"):
        for pair in found.pairs("aevb", "wake_sleep", method):
            rows.append(_pair_row(pair, method))
    return rows or [{"data": "not run yet"}]


def _pair_row(pair: Pair, method: str) -> dict[str, Any]:
    cell = pair.first
    (train, ws_train), (test, ws_test) = pair.ends("train"), pair.ends("test")
    return {
        "data": DATA_NAMES[cell["data"]],
        "latent": cell["latent"],
        "optimiser": method,
        "seed": cell["seed"],
        "samples": millions(pair.samples),
        "AEVB train, test": f"{train:.1f}, {test:.1f}",
        "wake-sleep train, test": f"{ws_train:.1f}, {ws_test:.1f}",
        "difference on test": f"{test - ws_test:+.1f}",
        "step sizes": f"{_size(cell)}, {_size(pair.second)}",
    }


def published(found: Findings, benchmark: Path = BENCHMARK) -> list[dict[str, Any]]:
    """Our -ELBO on MNIST beside what others print."""
    rows: list[dict[str, Any]] = []
    for latent, value in RERUN.items():
        row: dict[str, Any] = {"latent": latent, "published -ELBO": f"{value:.2f}, a re-run"}
        for method in ("adagrad", "adam"):
            cells = found.cell("mnist", latent, "aevb", method)
            row[f"ours, {method}"] = _elbos(cells)
        rows.append(row)
    ours = _of_recipe(benchmark)
    rows.append(
        {
            "latent": 30,
            "published -ELBO": f"about {SUMMARY_NATS:g}, a summary",
            "ours, adagrad": "",
            "ours, adam": ours,
        }
    )
    return rows


def _elbos(cells: Sequence[Numbers]) -> str:
    """Over seeds, with how long they were trained."""
    if not cells:
        return "not run yet"
    values = [-cell["test_elbo"] for cell in cells]
    mean = sum(values) / len(values)
    samples = millions(min(cell["samples"] for cell in cells))
    error = max(cell["test_elbo_error"] for cell in cells)
    over = "" if len(cells) == 1 else f", {len(cells)} seeds"
    return f"{mean:.2f} ± {error:.2f} at {samples}{over}"


def _of_recipe(benchmark: Path) -> str:
    if not benchmark.is_file():
        return "not run here"
    entries = json.loads(benchmark.read_text(encoding="utf-8"))["entries"]
    (entry,) = [entry for entry in entries if entry["recipe"] == "mnist_aevb30"]
    return f"{entry['mean']:.2f} ± {entry['spread']:.2f}, recipe `mnist_aevb30`"


def likelihoods(found: Findings) -> list[dict[str, Any]]:
    """A row for each curve of the third figure."""
    rows = []
    for cell in found.of(likelihood=True):
        curve = cell["curve"]
        rows.append(
            {
                "training images": f"{cell['images']:,}",
                "algorithm": NAMES[cell["algorithm"]],
                "seed": cell["seed"],
                "samples": millions(curve["samples"][-1]),
                "log p(x), train": f"{curve['train'][-1]:.1f}",
                "log p(x), test": f"{curve['test'][-1]:.1f}",
                "step size": _size(cell),
                "processor seconds": f"{curve['cpu_seconds'][-1]:.0f}",
            }
        )
    return rows or [{"training images": "not run yet"}]


def starts(found: Findings) -> list[dict[str, Any]]:
    """The two readings of how weights start, after as many samples."""
    rows = []
    for cell in found.other_starts():
        for other in found.cell(cell["data"], cell["latent"], cell["algorithm"], cell["method"]):
            if other["seed"] != cell["seed"]:
                continue
            samples = min(c["curve"]["samples"][-1] for c in (cell, other))
            ends = {c["start"]: value_at(c, "test", samples) for c in (other, cell)}
            rows.append(
                {
                    "data": DATA_NAMES[cell["data"]],
                    "latent": cell["latent"],
                    "algorithm": NAMES[cell["algorithm"]],
                    "samples": millions(samples),
                    **{f"test bound from {start:g}": f"{v:.1f}" for start, v in ends.items()},
                }
            )
    return rows or [{"data": "not run yet"}]


def speed(found: Findings) -> list[dict[str, Any]]:
    """Minutes for a million samples, beside those of the paper."""
    rows = [{"what": "the paper, an Intel Xeon CPU of 2013", "minutes": PAPER_MINUTES}]
    for data in DATA_NAMES:
        for algorithm in ("aevb", "wake_sleep"):
            cells = found.of(
                lambda c, data=data, algorithm=algorithm: (
                    (c["data"], c["algorithm"], c["method"]) == (data, algorithm, "adagrad")
                )
            )
            if cells:
                name = f"{NAMES[algorithm]}, {DATA_NAMES[data]}"
                rows.append({"what": name, "minutes": _range(cells)})
    return rows


def _range(cells: Sequence[Numbers]) -> str:
    """Of processor time: a clock also counts what others do."""
    busy = [cell["cpu_seconds_per_million"] / 60 for cell in cells]
    ends = dict.fromkeys(f"{minutes:.1f}" for minutes in (min(busy), max(busy)))
    return f"{' to '.join(ends)} of one processor"


def _size(cell: Numbers) -> str:
    return f"{cell['step_size']:g}"
