"""A plane through a latent space, to look at codes in.

Two dimensions are shown as they are. Of more, the plane is that of the codes' two largest
principal components, through their mean.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class Plane(NamedTuple):
    """Where it lies, and what lies in it."""

    origin: Float[np.ndarray, " latent"]
    axes: Float[np.ndarray, "2 latent"]
    """Orthonormal, but for a second axis of zeros where the space has one dimension."""
    points: Float[np.ndarray, "examples 2"]
    """Codes seen in the plane."""
    share: float
    """Of the codes' variance that the plane shows."""


def plane_of(codes: Float[np.ndarray, "examples latent"]) -> Plane:
    """The plane that shows most of some codes.

    Example:
        >>> plane_of(np.array([[0.0, 1.0], [2.0, 3.0]])).points.tolist()
        [[0.0, 1.0], [2.0, 3.0]]
    """
    codes = np.asarray(codes, np.float64)
    size = codes.shape[1]
    if size <= 2:
        axes = np.eye(2, size)
        return Plane(np.zeros(size), axes, codes @ axes.T, 1.0)
    mean = codes.mean(0)
    _, lengths, directions = np.linalg.svd(codes - mean, full_matrices=False)
    axes = np.zeros((2, size))
    axes[: len(directions[:2])] = directions[:2]
    share = float(np.square(lengths[:2]).sum() / max(np.square(lengths).sum(), 1e-300))
    return Plane(mean, axes, (codes - mean) @ axes.T, share)
