"""Trains the cells of the study, in one process or several, as far as asked for.

Every cell first gets a tenth of its samples, so that there is something to see of all of them;
then, in the same order, the rest. Whatever stops it, the same call goes on.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, TypeAlias

from vaekit.studies.aevb.cells import Cell
from vaekit.studies.aevb.train import CURVE_IMAGES, train_cell

FIRST_SHARE: Final = 0.1
Told: TypeAlias = Callable[[Cell, dict[str, Any]], None]
"""Told of a cell, and what is known of it."""


def train_cells(
    cells: Sequence[Cell],
    folder: Path,
    samples: int,
    jobs: int = 1,
    curve_images: int = CURVE_IMAGES,
    told: Told = lambda cell, found: None,
) -> None:
    """Trains cells until each has seen so many samples.

    Args:
        cells: In their order.
        folder: Of the study.
        samples: For each cell.
        jobs: Processes, one thread each; with one, torch has the threads that it has.
        curve_images: How many images curves are followed on.
        told: Told when a cell is there.
    """
    for length in dict.fromkeys((max(1000, round(FIRST_SHARE * samples)), samples)):
        one = partial(_one, folder=folder, samples=min(length, samples), curve_images=curve_images)
        if jobs == 1:
            for cell in cells:
                told(cell, one(cell))
            continue
        with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
            for cell, found in zip(cells, pool.map(one, cells), strict=True):
                told(cell, found)


def _one(cell: Cell, folder: Path, samples: int, curve_images: int) -> dict[str, Any]:
    return train_cell(cell, folder, samples, threads=1, curve_images=curve_images)
