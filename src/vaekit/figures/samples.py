"""Samples: what the model makes up, means of p(x | z) for z drawn from the prior."""

import numpy as np
from matplotlib.figure import Figure

from vaekit.figures.sheet import sheet
from vaekit.figures.style import styled


@styled
def samples(
    images: np.ndarray,
    seed: int,
    temperature: float = 1.0,
    low: float = 0.0,
    high: float = 1.0,
) -> Figure:
    """Draws samples in the order they were drawn, and says how that was done.

    Args:
        images: Images (n, channels, height, width) with 1 or 3 channels, or vectors
            (n, features).
        seed: What z was drawn with.
        temperature: Factor on the scale of the prior.
        low: Value of an image drawn black.
        high: Value of an image drawn white.

    Raises:
        DataError: The array cannot be drawn.
    """
    cooled = "" if temperature == 1 else f" at temperature {temperature:g}"
    title = f"p(x|z) means for z ~ p(z){cooled}, seed {seed}, not picked"
    return sheet({"": images}, title, low, high)
