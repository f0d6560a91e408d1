"""Verdicts follow from results: made-up cells whose verdict is clear."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vaekit.errors import ArtifactError
from vaekit.studies.dynamics import Places, missing, planned, report
from vaekit.studies.dynamics.cells import Cell
from vaekit.studies.dynamics.claims import claims, questions
from vaekit.studies.dynamics.findings import Findings, Setting
from vaekit.studies.dynamics.frozen import FrozenDecoder
from vaekit.studies.dynamics.results import packed, write_result

GREY2 = Setting("grey", 2)
STEP = sorted({0, *np.round(10 ** np.linspace(0, 4, 100)).astype(int).tolist()})


def cell(beta: float = 1.0, seed: int = 0, rises: float = 1.0, kl: float = 5.0) -> dict[str, Any]:
    """Variance falls by 4 until step 100, then rises together with the decoder's quality."""
    step = np.array(STEP, dtype=float)
    later = np.clip(np.log10(np.maximum(step, 1)) - 2, 0, None)
    wave = np.sin(4 * later)
    log_variance = -4 * np.clip(np.log10(np.maximum(step, 1)) / 2, 0, 1) + rises * (later + wave)
    quality = -200 + 10 * (later + wave)
    flat = np.full(len(step), kl)
    names = ("log_variance", "log_likelihood_at_mean", "kl", "expected_log_likelihood", "distance")
    columns = (log_variance, quality, flat, quality - 1, flat)
    halves = {"reconstruction_half": np.ones_like(step), "kl_half": -np.ones_like(step)}
    curves = {name: value.tolist() for name, value in zip(names, columns, strict=True)}
    chosen = Cell(beta, seed, epochs=100)
    return {
        "name": chosen.name,
        "settings": chosen.settings,
        "steps_per_epoch": 100,
        "curves": {
            "step": STEP,
            **curves,
            "share": np.exp(log_variance).tolist(),
            **{name: value.tolist() for name, value in halves.items()},
        },
        "widened": {"added": [-1.0, 0.0, 1.0], "reconstruction_half": [0.4, 1.0, 2.5]},
        "end": {
            "kl": kl,
            "aggregate_kl": 0.1,
            "farthest_scale": 1.02,
            "sharpness_samples": 0.1 + 0.1 * beta,
            "sharpness_data": 0.4,
        },
        "samples": packed(np.zeros((10, 4, 4))),
        "codes": np.random.default_rng(0).normal(size=(30, 2)).round(2).tolist(),
        "labels": "0123456789" * 3,
    }


def frozen(sign: float) -> dict[str, Any]:
    task = FrozenDecoder(Cell(epochs=100))
    settings = {**task.settings}
    ends = [
        {
            "step": step,
            "shift": shift,
            "steps": [0, 10],
            "log_variance": [0.0, sign * index],
            "log_likelihood_at_mean": [-300.0, -200.0 + index],
            "curvature": [1.0, 2.0],
        }
        for index, step in enumerate((10, 100, 1000))
        for shift in (1.5, -1.5)
    ]
    return {"name": task.name, "settings": settings, "steps_per_epoch": 100, "decoders": ends}


def rulings(*contents: dict[str, Any]) -> dict[str, str]:
    return {claim.text: claim.ruling for claim in claims(Findings(contents), GREY2)}


def test_what_falls_and_rises_with_the_decoder_is_supported() -> None:
    found = rulings(cell(0.0, kl=100.0), cell(1.0), frozen(1.0))
    assert found["The variance first shrinks"] == "supported"
    assert found["The variance then grows"] == "supported"
    assert found["The variance grows at the rate at which the decoder improves"] == "supported"
    assert found["The same, without what both do in the long run"] == "supported"
    assert found["The best variance is larger under a better decoder"] == "supported"
    assert found["The reconstruction gradient grows with the variance"] == "supported"
    assert found["Without KL term the KL reaches about 100 nats"] == "supported"
    assert found["and stays there"] == "supported"
    assert found["Samples are sharper at beta 1 than at beta 0"] == "supported"
    assert found["At beta 1 codes have the scale of a unit Gaussian"] == "supported"
    assert found["and its shape"] == "supported"


def test_what_goes_on_falling_is_not() -> None:
    found = rulings(cell(0.0, rises=-1.0, kl=30.0), cell(1.0, rises=-1.0), frozen(-1.0))
    assert found["The variance first shrinks"] == "supported"
    assert found["The variance then grows"] == "not supported"
    assert found["The variance grows at the rate at which the decoder improves"] == "not supported"
    assert found["The best variance is larger under a better decoder"] == "not supported"
    assert found["Without KL term the KL reaches about 100 nats"] == "not supported"
    assert found["The variance settles"] == "not supported"


def test_what_differs_between_betas_or_seeds_depends() -> None:
    found = rulings(cell(1.0, 0), cell(1.0, 1, rises=-1.0))
    assert found["The variance then grows"] == "depends"
    assert found["Samples are sharper at beta 1 than at beta 0"] == "not measured"


def test_entropies_and_layers_are_asked_the_same() -> None:
    made = cell()
    turned = {**made, "settings": {**made["settings"], "family": "categorical"}}
    turned["curves"] = {**made["curves"], "log_entropy_share": made["curves"]["log_variance"]}
    assert [claim.ruling for claim in questions(Findings([turned]))] == ["supported"] * 2


def test_report_writes_figures_tables_and_numbers(tmp_path: Path) -> None:
    for content in (cell(0.0), cell(1.0), frozen(1.0)):
        (tmp_path / "results").mkdir(exist_ok=True)
        write_result(tmp_path / "results" / f"{content['name']}.json", content)
    written = report(tmp_path, quick=True)
    names = {file.name for file in written.files}
    assert {"training-grey-z2.png", "samples-grey-z2.png", "equilibrium-grey-z2.png"} <= names
    assert "**supported**" in (tmp_path / "verdict.md").read_text()
    assert "quick" in (tmp_path / "verdict.md").read_text()
    assert len(written.table) == len(rulings(cell(0.0), cell(1.0))) + 2


def test_nothing_to_report_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no results"):
        report(tmp_path)


def test_results_that_are_there_are_not_computed_again(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    made = cell(1.0)
    write_result(tmp_path / "results" / f"{made['name']}.json", made)
    places = Places(tmp_path, tmp_path / "work")
    tasks = planned([0.0, 1.0], [0], ["grey"], [2], ["grid"], epochs=100)
    assert [task.name for task in missing(tasks, places)] == ["vae-grey-z2-beta0-seed0"]
    with pytest.raises(ArtifactError, match="another set-up"):
        missing(planned([1.0], [0], ["grey"], [2], ["grid"], epochs=7), places)


def test_the_published_plan() -> None:
    tasks = planned([0, 1], [0, 1], ["grey"], [2], ["linear", "grid", "frozen", "widths"])
    names = [task.name for task in tasks]
    assert names[:3] == ["linear", "vae-grey-z2-beta0-seed0", "vae-grey-z2-beta1-seed0"]
    assert "frozen-vae-grey-z2-beta1-seed1" in names
    assert len(set(names)) == len(names)
