"""What is to be done for a given choice of parts."""

from collections.abc import Sequence
from typing import Final, cast

from vaekit.studies.dynamics.cells import WIDTHS, Cell, Data, Family, grid
from vaekit.studies.dynamics.frozen import FrozenDecoder
from vaekit.studies.dynamics.linear import LinearCheck
from vaekit.studies.dynamics.study import Task

FROZEN_AT: Final = (1.0,)
"""Betas whose decoders are held fixed."""
WIDTH_EPOCHS: Final = 20
RELATIVE_EPOCHS: Final = 30


def planned(
    betas: Sequence[float],
    seeds: Sequence[int],
    data: Sequence[str],
    sizes: Sequence[int],
    parts: Sequence[str],
    epochs: int = 200,
    quick: bool = False,
) -> list[Task]:
    """The tasks of a study, in the order in which they are done.

    Args:
        betas: Of the grid.
        seeds: Of everything.
        data: Kinds of data.
        sizes: Of z.
        parts: Some of linear, grid, frozen, widths and relatives.
        epochs: Of a cell of the grid.
        quick: An epoch of everything, and a short linear check.
    """
    epochs = 1 if quick else epochs
    cells = grid(betas, seeds, data, sizes)
    found: dict[str, list[Task]] = {
        "linear": [LinearCheck(0.05, 2.0, (0.0, 1.0)) if quick else LinearCheck()],
        "grid": [_lasting(cell, epochs) for cell in cells],
        "frozen": [
            FrozenDecoder(_lasting(cell, epochs), 1 if quick else 10)
            for cell in grid(FROZEN_AT, seeds, data, sizes)
        ],
        "widths": [
            Cell(1.0, seed, cast("Data", kind), size, 1 if quick else WIDTH_EPOCHS, width)
            for seed in seeds
            for kind in data
            for size in sizes
            for width in (WIDTHS[:1] if quick else WIDTHS)
        ],
        "relatives": [
            Cell(
                seed=seed,
                data=cast("Data", kind),
                epochs=1 if quick else RELATIVE_EPOCHS,
                family=cast("Family", family),
            )
            for seed in seeds
            for kind in data
            for family in ("categorical", "hierarchical")
        ],
    }
    return [task for part in parts for task in found[part]]


def _lasting(cell: Cell, epochs: int) -> Cell:
    return Cell(cell.beta, cell.seed, cell.data, cell.latent_dim, epochs)
