"""Trains a cell to a number of samples, and leaves one small JSON of it.

    <folder>/cells/<cell>.json   the curve, the final numbers, the protocol
    <folder>/work/<cell>/        the newest state; training goes on from it, to any length

    <folder>/sheets/             what figures show of a cell

Where there is no state, a longer run starts anew; what is as long as asked for is left alone,
unless a figure lacks it.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import torch

from vaekit.errors import DivergenceError
from vaekit.evaluation import importance_sampling
from vaekit.runs.folder import write_json
from vaekit.studies.aevb.cells import BATCH_SIZE, STEP_SIZES, Cell
from vaekit.studies.aevb.curve import PER_DECADE, Curve, Measure, bound, points
from vaekit.studies.aevb.marginal import POINTS_PER_DECADE, marginal_likelihood
from vaekit.studies.aevb.mcem import MonteCarloEM
from vaekit.studies.aevb.setting import Setting, recipe_of, setting, start_as_published
from vaekit.studies.aevb.sheets import sheets_of, write_sheets
from vaekit.training import (
    Listener,
    Training,
    TrainingData,
    latest_checkpoint,
    load_checkpoint,
)

CURVE_IMAGES: Final = 2000
"""Training and test images that the bound is followed on."""
PILOT_SAMPLES: Final = 20_000
"""After which step sizes are judged, by the bound of training images."""
FINAL_DRAWS: Final = 20
"""Of z for each test image, in the final ELBO."""
ACTIVE_NATS: Final = 0.01
DIVERGED: Final = -1e9
"""Stands for the bound of a step size that led nowhere."""


def cell_file(folder: Path, cell: Cell) -> Path:
    """Where the numbers of a cell are."""
    return folder / "cells" / f"{cell.name}.json"


def work_folder(folder: Path, cell: Cell) -> Path:
    """Where the state of a cell is."""
    return folder / "work" / cell.name


def read_cell(folder: Path, cell: Cell) -> dict[str, Any] | None:
    """The numbers of a cell; None where there are none yet."""
    file = cell_file(folder, cell)
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None


def train_cell(
    cell: Cell,
    folder: Path,
    samples: int,
    threads: int = 1,
    curve_images: int = CURVE_IMAGES,
) -> dict[str, Any]:
    """Trains a cell until it has seen so many samples, and measures it.

    Args:
        cell: What is trained.
        folder: Of the study.
        samples: Training samples evaluated, in all; more, where its state has seen more.
        threads: CPU threads.
        curve_images: How many images the curve is followed on.

    Raises:
        Interrupted: SIGINT or SIGTERM arrived; the same call goes on.
    """
    known = read_cell(folder, cell)
    if known is not None and known["samples"] >= samples:
        if all(file.is_file() for file in sheets_of(folder, cell).values()):
            return known
        samples = known["samples"]
    work = work_folder(folder, cell)
    samples = max(samples, _reached(work))
    made, tried = _with_step_size(cell, work, samples, threads)
    curve = Curve(
        _measure(cell, made, curve_images), _points(cell, samples), BATCH_SIZE, work / "curve.json"
    )
    updates = max(1, samples // BATCH_SIZE)
    if cell.algorithm == "mcem":
        MonteCarloEM(made, work / "checkpoint", curve).run(updates)
    else:
        _training(made, work / "checkpoint", [curve]).run(updates)
    found = _numbers(cell, made, curve, updates, tried)
    write_sheets(folder, cell, made.model)
    cell_file(folder, cell).parent.mkdir(parents=True, exist_ok=True)
    write_json(cell_file(folder, cell), found)
    return found


def _reached(work: Path) -> int:
    """Samples that a cell's state has seen: it cannot go back to fewer."""
    newest = latest_checkpoint(work / "checkpoint")
    return 0 if newest is None else load_checkpoint(newest).numbers["step"] * BATCH_SIZE


def _training(made: Setting, folder: Path | None, listeners: list[Listener]) -> Training:
    data = TrainingData(made.batches, made.transform)
    spec, seed = made.recipe.training, made.recipe.seed
    return Training(made.model, made.objective, data, spec, seed, folder, listeners)


def _with_step_size(
    cell: Cell, work: Path, samples: int, threads: int
) -> tuple[Setting, dict[str, float]]:
    """The setting with the step size whose training bound is best after a few updates."""
    made = setting(cell, threads=threads)
    if cell.method != "adagrad":
        return made, {}
    file = work / "step_sizes.json"
    if not file.is_file():
        tried = {str(size): _early(cell, made, size, samples) for size in STEP_SIZES}
        work.mkdir(parents=True, exist_ok=True)
        write_json(file, tried)
    tried = json.loads(file.read_text(encoding="utf-8"))
    return with_step_size(cell, made, float(max(tried, key=tried.get))), tried


def with_step_size(cell: Cell, made: Setting, size: float) -> Setting:
    """The same setting at its start, to be trained with another step size."""
    start_as_published(made.model, cell)
    threads = made.recipe.training.threads or 1
    return replace(made, recipe=recipe_of(cell, size, threads))


def _early(cell: Cell, made: Setting, size: float, samples: int) -> float:
    """The training bound after a few updates; the lowest number there is where it diverged."""
    tried = with_step_size(cell, made, size)
    updates = max(1, min(PILOT_SAMPLES, samples // 2) // BATCH_SIZE)
    try:
        if cell.algorithm == "mcem":
            MonteCarloEM(tried).run(updates)
            return round(marginal_likelihood(tried.model, tried.shown(tried.train, 100)), 3)
        _training(tried, None, []).run(updates)
        return round(bound(tried.model, tried.shown(tried.train, 1000)), 3)
    except DivergenceError:
        return DIVERGED


def _points(cell: Cell, samples: int) -> set[int]:
    if cell.images is None:
        return points(samples, BATCH_SIZE, PER_DECADE)
    return points(samples, BATCH_SIZE, POINTS_PER_DECADE, first=10_000)


def _measure(cell: Cell, made: Setting, images: int) -> Measure:
    """What the curve of a cell follows: the bound, or the marginal likelihood."""
    if cell.images is None:
        train, test = (made.shown(split, images) for split in (made.train, made.test))
        return lambda: {"train": bound(made.model, train), "test": bound(made.model, test)}
    few = 100
    train, test = (made.shown(split, few) for split in (made.train, made.test))
    return lambda: {
        "train": marginal_likelihood(made.model, train),
        "test": marginal_likelihood(made.model, test),
    }


def _numbers(
    cell: Cell,
    made: Setting,
    curve: Curve,
    updates: int,
    tried: dict[str, float],
) -> dict[str, Any]:
    """All that is kept of a cell."""
    samples, seconds = updates * BATCH_SIZE, made.recipe.training
    found: dict[str, Any] = {
        "data": cell.data,
        "latent": cell.latent,
        "algorithm": cell.algorithm,
        "method": cell.method,
        "seed": cell.seed,
        "images": cell.images,
        "hidden": cell.units,
        "samples": samples,
        "start": cell.start,
        "step_size": made.recipe.training.optimizer.learning_rate,
        "tried": tried,
        "seconds_per_million": round(curve.seconds / samples * 1e6, 1),
        "cpu_seconds_per_million": round(curve.cpu_seconds / samples * 1e6, 1),
        "threads": seconds.threads,
        "torch": torch.__version__,
        "curve": curve.columns(),
    }
    if cell.algorithm != "mcem":
        found |= _final(made)
    return found


def _final(made: Setting) -> dict[str, float]:
    """The bound on all test images."""
    estimate = importance_sampling(made.model, made.blocks(made.test), FINAL_DRAWS, 0)
    error = estimate.elbo.std().item() / len(estimate.elbo) ** 0.5
    return {
        "test_elbo": round(estimate.elbo.mean().item(), 3),
        "test_elbo_error": round(error, 3),
        "test_kl": round(estimate.kl.mean().item(), 3),
        "used_dimensions": int((estimate.kl_per_dimension[0] > ACTIVE_NATS).sum()),
        "test_images": len(estimate.elbo),
    }
