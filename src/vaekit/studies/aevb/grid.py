"""Trains the cells of the study, in one process or several, as far as asked for.

Every cell first gets a million samples, so that there is something to see of all of them; then, in
the same order, the rest. Whatever stops it, the same call goes on.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias

from vaekit.studies.aevb.cells import Cell
from vaekit.studies.aevb.train import CURVE_IMAGES, train_cell
from vaekit.studies.processes import in_processes

FIRST_SAMPLES: Final = 1_000_000
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
        jobs: Processes, a thread each.
        curve_images: How many images curves are followed on.
        told: Told when a cell is there.

    Raises:
        Interrupted: SIGINT or SIGTERM arrived; the same call goes on.
    """
    for length in dict.fromkeys((min(FIRST_SAMPLES, samples), samples)):
        one = partial(train_cell, folder=folder, samples=length, curve_images=curve_images)
        for cell, found in in_processes(one, cells, jobs):
            told(cell, found)
