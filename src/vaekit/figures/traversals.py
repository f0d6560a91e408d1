"""Traversals: what one latent dimension does while the others stand still."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from vaekit.figures.style import MINUS, dimension_name, styled
from vaekit.figures.walk import Walk, walk_sheet


@styled
def traversals(
    rows: np.ndarray,
    dimensions: Sequence[int],
    values: Sequence[float],
    title: str | None = None,
    low: float = 0.0,
    high: float = 1.0,
) -> Figure:
    """Draws a row for each dimension that was moved, a column for each value it took.

    Args:
        rows: Decoded steps (dimensions, steps, *event); an event is an image with 1 or 3
            channels, or a vector.
        dimensions: Index of each row's dimension.
        values: What it was set to in each column, in standard deviations of the prior.
        title: Text above.
        low: Value of an image drawn black.
        high: Value of an image drawn white.

    Raises:
        DataError: The array cannot be drawn, or dimensions and values do not fit it.
    """
    headers = [f"{value:+.2g}".replace("-", MINUS) if value else "0" for value in values]
    walk = Walk([dimension_name(index) for index in dimensions], headers, title)
    return walk_sheet(rows, walk, low, high)
