"""Cells start as published, and go on where they were."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vaekit.data import Observation
from vaekit.studies.aevb import PARTS, Cell, cells_of, train_cell
from vaekit.studies.aevb import train as training
from vaekit.studies.aevb.curve import Curve, bound, points
from vaekit.studies.aevb.grid import train_cells
from vaekit.studies.aevb.setting import recipe_of, setting, start_as_published
from vaekit.studies.aevb.sheets import read_sheet, sheets_of
from vaekit.training import Plan

TIMES = {"seconds_per_million", "cpu_seconds_per_million"}
CELLS = [
    Cell("mnist", 2, "aevb", hidden=8),
    Cell("mnist", 2, "wake_sleep", "adam", hidden=8),
]
LIKELIHOODS = [Cell("mnist", 2, algorithm, images=300, hidden=8) for algorithm in ("aevb", "mcem")]


@pytest.fixture(autouse=True)
def fast(digits: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Marginal likelihoods by few chains, and points as for a bound."""
    monkeypatch.setattr(training, "marginal_likelihood", lambda model, shown: bound(model, shown))
    # As long for a short run as for the long one that goes on from it.
    monkeypatch.setattr(training, "PILOT_SAMPLES", 1000)
    monkeypatch.setattr(training, "_points", lambda cell, samples: points(samples, 100, 5))


def without_times(numbers: dict[str, Any]) -> dict[str, Any]:
    curve = {k: v for k, v in numbers["curve"].items() if k != "cpu_seconds"}
    return {**{k: v for k, v in numbers.items() if k not in TIMES}, "curve": curve}


@pytest.mark.parametrize("cell", [*CELLS, *LIKELIHOODS], ids=lambda cell: cell.name)
def test_a_longer_run_goes_on_bit_for_bit(cell: Cell, tmp_path: Path) -> None:
    once = train_cell(cell, tmp_path / "once", 6000, curve_images=50)
    half = train_cell(cell, tmp_path / "twice", 3000, curve_images=50)
    # A half's end is a point of its own: the whole has one more.
    twice = train_cell(cell, tmp_path / "twice", 6000, curve_images=50)
    assert half["samples"] == 3000
    for split in ("train", "test"):
        seen = dict(zip(twice["curve"]["samples"], twice["curve"][split], strict=True))
        for samples, value in zip(once["curve"]["samples"], once["curve"][split], strict=True):
            assert seen[samples] == value
    left_out = {"curve", *TIMES}
    assert {k: v for k, v in once.items() if k not in left_out} == {
        k: v for k, v in twice.items() if k not in left_out
    }


def test_what_is_there_is_left_alone(tmp_path: Path) -> None:
    cell = CELLS[1]
    first = train_cell(cell, tmp_path, 2000, curve_images=50)
    file = tmp_path / "cells" / f"{cell.name}.json"
    before = file.stat().st_mtime_ns
    assert train_cell(cell, tmp_path, 1000) == first
    assert file.stat().st_mtime_ns == before


@pytest.mark.parametrize("cell", [CELLS[0], LIKELIHOODS[1]], ids=lambda cell: cell.name)
def test_a_state_that_has_seen_more_is_said_to(cell: Cell, tmp_path: Path) -> None:
    whole = train_cell(cell, tmp_path, 3000, curve_images=50)
    (tmp_path / "cells" / f"{cell.name}.json").unlink()  # stopped before its numbers were left
    assert without_times(train_cell(cell, tmp_path, 1000, curve_images=50)) == without_times(whole)


def test_without_its_state_a_cell_starts_anew_and_ends_where_it_would(tmp_path: Path) -> None:
    cell = CELLS[1]
    whole = train_cell(cell, tmp_path / "a", 4000, curve_images=50)
    short = train_cell(cell, tmp_path / "b", 2000, curve_images=50)
    (tmp_path / "c" / "cells").mkdir(parents=True)
    (tmp_path / "c" / "cells" / f"{cell.name}.json").write_text(json.dumps(short))
    again = train_cell(cell, tmp_path / "c", 4000, curve_images=50)
    assert without_times(again) == without_times(whole)


def test_a_grid_tells_of_every_cell(tmp_path: Path) -> None:
    told: list[tuple[Cell, int]] = []
    train_cells(CELLS[:1], tmp_path, 1500, told=lambda c, found: told.append((c, found["samples"])))
    assert told == [(CELLS[0], 1500)]


def test_a_cell_leaves_what_figures_show_of_it(tmp_path: Path) -> None:
    shown = Cell("mnist", 2, "aevb")
    files = sheets_of(tmp_path, shown)
    first = train_cell(shown, tmp_path, 400, curve_images=50)
    sheets = {kind: read_sheet(file) for kind, file in files.items()}
    assert {kind: sheet.shape for kind, sheet in sheets.items()} == {
        "manifold": (20 * 8, 20 * 8),
        "samples": (10 * 8, 10 * 8),
    }
    assert len(np.unique(sheets["manifold"])) > 10
    for other in (CELLS[0], Cell("mnist", 3, "aevb"), Cell("mnist", 2, "aevb", "adam")):
        assert sheets_of(tmp_path, other) == {}
    # A sheet that is missing is drawn again, and its cell keeps its length.
    files["samples"].unlink()
    assert without_times(train_cell(shown, tmp_path, 200)) == without_times(first)
    np.testing.assert_array_equal(read_sheet(files["samples"]), sheets["samples"])


def test_the_start_is_the_published_one() -> None:
    made = setting(Cell("mnist", 50, "aevb"))
    weights = torch.cat([p.flatten() for p in made.model.parameters()])
    # 117,000 draws: a standard error of 0.1 / sqrt(2 n) = 2e-4 of the deviation.
    assert weights.var().item() == pytest.approx(0.01, abs=3e-4)
    assert weights.mean().item() == pytest.approx(0.0, abs=1e-3)
    shown = Observation(torch.rand(3, 1, 8, 8))
    assert torch.equal(made.model.encoder.centred(shown), shown.x)
    start_as_published(made.model, Cell("mnist", 50, "aevb"))
    again = torch.cat([p.flatten() for p in made.model.parameters()])
    assert torch.equal(weights, again)


def test_the_recipe_is_the_published_one() -> None:
    recipe = recipe_of(Cell("mnist", 20, "wake_sleep"), 0.02)
    assert recipe.model.model_dump()["encoder"]["hidden"] == (500,)
    assert recipe.objective.kind == "wake_sleep"
    assert recipe.training.batch_size == 100
    assert recipe.training.ema_decay == 0.0
    optimizer = recipe.training.optimizer
    assert (optimizer.kind, optimizer.learning_rate) == ("adagrad", 0.02)
    assert optimizer.weight_decay == 1 / 60_000
    frey = recipe_of(Cell("frey_faces", 2, "aevb"))
    assert frey.model.likelihood.model_dump()["unit_mean"]
    few = recipe_of(Cell("mnist", 3, "aevb", images=1000, hidden=100))
    assert few.training.optimizer.weight_decay == 1 / 1000
    assert recipe_of(Cell("mnist", 3, "aevb", "adam")).training.optimizer.weight_decay == 0.0


@pytest.mark.parametrize("quick", [False, True])
def test_every_part_has_cells_with_names_of_their_own(quick: bool) -> None:
    found = [c for part in PARTS for c in cells_of(part, 2, quick)]
    assert len({c.name for c in found}) == len(set(found))
    assert len(cells_of("figure2", 1, quick)) == (8 if quick else 36)


def test_points_are_even_on_a_logarithm() -> None:
    assert sorted(points(1_000_000, 100, 1)) == [10, 100, 1000, 10_000]
    found = sorted(points(10_000_000, 100, 10))
    assert found[-1] == 100_000
    assert len(found) == 41


def test_a_curve_forgets_what_was_not_saved(tmp_path: Path) -> None:
    curve = Curve(lambda: {"train": 1.0}, {1, 2, 3}, 100, tmp_path / "curve.json")
    curve.started(Plan(3, 0, 3, 100))
    for step in (1, 2, 3):
        curve.stepped(step, {})
    curve.saving(3)
    again = Curve(lambda: {"train": 2.0}, {1, 2, 3}, 100, tmp_path / "curve.json")
    again.started(Plan(3, 2, 3, 100))
    again.stepped(3, {})
    assert again.columns()["samples"] == [100, 200, 300]
    assert again.columns()["train"] == [1.0, 1.0, 2.0]
    assert again.seconds >= curve.seconds
