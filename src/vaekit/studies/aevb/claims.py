"""What the paper claims, and which numbers decide.

Comparisons are made after as many samples as both sides have seen. The published re-run and the
summary are not of the paper, which prints curves and no table.
"""

from collections.abc import Callable, Sequence
from typing import Final

from vaekit.studies.aevb.cells import FINISHED, Algorithm, Data, Method
from vaekit.studies.aevb.findings import (
    Findings,
    Numbers,
    by_setting,
    millions,
    setting_name,
    unless_finished,
    value_at,
)
from vaekit.studies.verdict import Claim

PAPER: Final = "Kingma and Welling 2013"
RERUN: Final = {3: 141.30, 5: 124.41, 10: 107.57, 20: 100.61, 200: 99.23}
"""Test -ELBO of MNIST by latent size, of a published re-run; listed under static binarisation."""
METHODS: Final[dict[Method, str]] = {"adagrad": "", "adam": ", with Adam"}
"""Optimisers, and what a claim says of the one that is not the paper's."""
FASTER: Final = 0.5
"""Share of samples below which one is considerably faster: half."""
MARGIN_SHARE: Final = 0.01
"""Of the bound: what a larger latent space may lose."""
MARGIN_NATS: Final = 1.0
"""Of a marginal likelihood of 100 images, by chains that are not endless."""


def claims(found: Findings) -> list[Claim]:
    """All claims, with what was measured of them."""
    return [
        *_against_wake_sleep(found),
        *_superfluous(found),
        *_marginal(found),
        _published(found),
    ]


def _against_wake_sleep(found: Findings) -> list[Claim]:
    where = f"{PAPER}, section 5 and figure 2"
    made = []
    for method, words in METHODS.items():
        pairs = list(found.pairs("aevb", "wake_sleep", method, starts=True))
        made += [
            Claim(
                f"AEVB reaches a better solution than wake-sleep in all settings{words}",
                where,
                "test bound of AEVB minus that of wake-sleep after as many samples, nats",
                by_setting(pairs, lambda pair: pair.ends("test")[0] - pair.ends("test")[1]),
                above=0.0,
            ),
            Claim(
                f"AEVB converges considerably faster than wake-sleep{words}",
                where,
                "samples after which AEVB has the training bound that wake-sleep ends at, as a "
                "share of wake-sleep's",
                by_setting(pairs, lambda pair: pair.share_of_samples("train")),
                below=FASTER,
            ),
        ]
    return made


def _superfluous(found: Findings) -> list[Claim]:
    where = f"{PAPER}, section 5 and figure 2"
    return [
        Claim(
            "Superfluous latent variables do not lead to over-fitting",
            where,
            "training minus test bound with the largest latent space, less that difference with a "
            "fitting one, as a share of the bound",
            _against_fitting(found, lambda large, small: _gap(large) - _gap(small)),
            below=MARGIN_SHARE,
        ),
        Claim(
            "Superfluous latent variables cost nothing in the end",
            where,
            f"test bound with the largest latent space minus that with a fitting one after "
            f"{millions(FINISHED)} samples, as a share of the bound",
            _against_fitting(
                found, lambda large, small: (large[1] - small[1]) / abs(small[1]), FINISHED
            ),
            above=-MARGIN_SHARE,
        ),
    ]


def _gap(ends: tuple[float, float]) -> float:
    train, test = ends
    return (train - test) / abs(test)


def _against_fitting(
    found: Findings,
    value: Callable[[tuple[float, float], tuple[float, float]], float],
    least: int = 0,
) -> dict[str, list[float]]:
    """A number of training and test bounds of two latent sizes, for each data set."""
    values: dict[str, list[float]] = {}
    sizes: dict[Data, tuple[int, int]] = {"mnist": (20, 200), "frey_faces": (10, 20)}
    for data, (fitting, too_many) in sizes.items():
        for large in found.cell(data, too_many, "aevb", "adagrad"):
            for small in found.cell(data, fitting, "aevb", "adagrad"):
                samples = min(cell["curve"]["samples"][-1] for cell in (large, small))
                if small["seed"] != large["seed"] or samples < least:
                    continue
                one, other = (
                    (value_at(cell, "train", samples), value_at(cell, "test", samples))
                    for cell in (large, small)
                )
                name = f"{setting_name(large)} against z{fitting}{unless_finished(samples)}"
                values.setdefault(name, []).append(value(one, other))
    return values


def _marginal(found: Findings) -> Sequence[Claim]:
    made = []
    others: dict[Algorithm, str] = {"wake_sleep": "wake-sleep", "mcem": "Monte Carlo EM"}
    for other, name in others.items():
        pairs = list(found.pairs("aevb", other, likelihood=True))
        if other == "mcem":
            pairs = [pair for pair in pairs if pair.first["images"] == 1000]
        made.append(
            Claim(
                f"AEVB reaches at least the marginal likelihood of {name}",
                f"{PAPER}, figure 3",
                f"test log-likelihood of AEVB minus that of {name} after as many samples, nats",
                by_setting(pairs, lambda pair: pair.ends("test")[0] - pair.ends("test")[1]),
                above=-MARGIN_NATS,
            )
        )
    pairs = [p for p in found.pairs("aevb", "mcem", likelihood=True) if p.first["images"] != 1000]
    made.append(
        Claim(
            "Monte Carlo EM cannot be applied efficiently to the full data set",
            f"{PAPER}, section 5",
            "test log-likelihood of AEVB minus that of Monte Carlo EM after as much processor "
            "time, nats",
            by_setting(pairs, lambda pair: _after_as_much_time(pair.first, pair.second)),
            above=0.0,
        )
    )
    return made


def _after_as_much_time(one: Numbers, other: Numbers) -> float:
    """Difference of two test curves at the end of the one that ends first by the clock."""
    end = min(cell["curve"]["cpu_seconds"][-1] for cell in (one, other))
    values = []
    for cell in (one, other):
        times = cell["curve"]["cpu_seconds"]
        until = max(i for i, time in enumerate(times) if time <= end or i == 0)
        values.append(cell["curve"]["test"][until])
    return values[0] - values[1]


def _published(found: Findings) -> Claim:
    values: dict[str, list[float]] = {}
    for method, words in METHODS.items():
        for latent, published in RERUN.items():
            cells = found.cell("mnist", latent, "aevb", method)
            ours = [-cell["test_elbo"] for cell in cells if cell["samples"] >= FINISHED]
            if ours:
                values[f"z{latent}{words}"] = [value - published for value in ours]
    return Claim(
        "The bounds of a published re-run on MNIST are reached",
        "a re-run of AEVB",
        f"our test -ELBO after {millions(FINISHED)} samples minus the published one, nats",
        values,
        below=MARGIN_NATS,
    )
