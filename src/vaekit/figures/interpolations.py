"""Interpolations: what lies between the codes of two examples."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from vaekit.figures.style import styled
from vaekit.figures.walk import Walk, walk_sheet


@styled
def interpolations(
    rows: np.ndarray,
    labels: Sequence[str] | None = None,
    title: str | None = None,
    low: float = 0.0,
    high: float = 1.0,
) -> Figure:
    """Draws walks between pairs of examples; the ends are the examples' reconstructions.

    Args:
        rows: Decoded steps (pairs, steps, *event); an event is an image with 1 or 3 channels,
            or a vector.
        labels: What each pair is, such as "3 → 4".
        title: Text above.
        low: Value of an image drawn black.
        high: Value of an image drawn white.

    Raises:
        DataError: The array cannot be drawn, or labels do not fit it.
    """
    pairs, steps = rows.shape[0], rows.shape[1] if rows.ndim > 1 else 0
    headers = ["start", *[""] * (steps - 2), "end"]
    walk = Walk(list(labels or [""] * pairs), headers, title, ends_apart=True)
    return walk_sheet(rows, walk, low, high)
