"""Reconstructions: originals, and what the model makes of them."""

import numpy as np
from matplotlib.figure import Figure

from vaekit.errors import DataError
from vaekit.figures.sheet import sheet
from vaekit.figures.style import styled


@styled
def reconstructions(
    originals: np.ndarray,
    reconstructed: np.ndarray,
    title: str | None = None,
    low: float = 0.0,
    high: float = 1.0,
) -> Figure:
    """Draws examples above their reconstructions; many vectors are cut to the first ones.

    Args:
        originals: Images (n, channels, height, width) with 1 or 3 channels, or vectors
            (n, features).
        reconstructed: The same number in the same shape.
        title: Text above.
        low: Value of an image drawn black.
        high: Value of an image drawn white.

    Raises:
        DataError: The arrays do not fit each other, or cannot be drawn.
    """
    if originals.shape != reconstructed.shape:
        raise DataError(
            "Reconstructions do not fit their originals.",
            expected=f"shape {originals.shape}",
            found=f"shape {reconstructed.shape}",
            remedy="pass as many reconstructions as originals, in one shape",
        )
    return sheet({"original": originals, "reconstruction": reconstructed}, title, low, high)
