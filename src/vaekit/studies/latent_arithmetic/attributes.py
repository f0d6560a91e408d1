"""What can be read off the pixels of a written digit: how thick, and how slanted.

With ink x between 0 and 1, at row r (downwards) and column c of an image:

    thickness = 2 sum x / total variation of x
    slant     = -cov(c, r) / var(r),  moments weighted by x

A stroke of width w and length L has area w L and a border of 2 (w + L), which its total variation
measures whatever the blur; the quotient is w for a long stroke, in pixels. A line that leans to the
right by c = -s r has slant s. Neither depends on how dark the ink is.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from jaxtyping import Float

_LEAST: Final = 1e-9
Images = Float[np.ndarray, "n height width"]


def thickness(images: Images) -> Float[np.ndarray, " n"]:
    """Width of the stroke in pixels.

    Example:
        >>> line = np.zeros((1, 28, 28))
        >>> line[0, 4:24, 12:15] = 1.0
        >>> round(float(thickness(line)[0]), 1)
        2.7
    """
    ringed = np.pad(images.astype(float), ((0, 0), (1, 1), (1, 1)))
    # At the corners between four pixels, where both diagonals are treated alike.
    down = (np.diff(ringed, axis=1)[:, :, 1:] + np.diff(ringed, axis=1)[:, :, :-1]) / 2
    right = (np.diff(ringed, axis=2)[:, 1:] + np.diff(ringed, axis=2)[:, :-1]) / 2
    border = np.hypot(down, right).sum((1, 2))
    return 2 * images.sum((1, 2)) / np.maximum(border, _LEAST)


def slant(images: Images) -> Float[np.ndarray, " n"]:
    """Tangent of the angle by which a digit leans to the right.

    Example:
        >>> float(slant(np.eye(9)[None, ::-1])[0])
        1.0
    """
    ink = images.astype(float)
    _, height, width = ink.shape
    row, column = np.arange(height)[:, None], np.arange(width)[None]
    total = np.maximum(ink.sum((1, 2)), _LEAST)
    middle_row, middle_column = ((ink * at).sum((1, 2)) / total for at in (row, column))
    r = row - middle_row[:, None, None]
    c = column - middle_column[:, None, None]
    spread = np.maximum((ink * r**2).sum((1, 2)), _LEAST)
    return -(ink * r * c).sum((1, 2)) / spread


ATTRIBUTES: Final[dict[str, Callable[[Images], Float[np.ndarray, " n"]]]] = {
    "thickness": thickness,
    "slant": slant,
}
