"""Walks through the latent space: the codes on the way."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from vaekit.errors import DataError, SpecError


def straight_lines(
    start: Float[np.ndarray, "pairs latent"], end: Float[np.ndarray, "others latent"], steps: int
) -> Float[np.ndarray, "pairs steps latent"]:
    """Equally spaced codes from each start to its end, both included.

    Raises:
        DataError: There is not one end for each start.
    """
    if len(start) != len(end):
        raise DataError(
            "Each line needs two ends.",
            where="x_b",
            expected=f"{len(start)} examples, as in x_a",
            found=len(end),
        )
    share = np.linspace(0, 1, steps, dtype=start.dtype)[:, None]
    return start[:, None] * (1 - share) + end[:, None] * share


def along_dimensions(
    start: Float[np.ndarray, "examples latent"],
    dimensions: Sequence[int] | None,
    reach: float,
    steps: int,
) -> Float[np.ndarray, "examples dimensions steps latent"]:
    """Codes in which one dimension at a time runs from -reach to reach.

    Args:
        start: What the other dimensions keep.
        dimensions: Which ones run; all where absent.
        reach: How far.
        steps: Number of codes, both ends included.

    Raises:
        SpecError: A dimension does not exist, or there is no way to go.
    """
    if not (math.isfinite(reach) and reach > 0):
        raise SpecError("A reach cannot be used.", expected="more than zero", found=reach)
    size = start.shape[1]
    chosen = range(size) if dimensions is None else dimensions
    wrong = [d for d in chosen if not 0 <= d < size]
    if wrong or not chosen:
        raise SpecError(
            "There is no such latent dimension.",
            where="dimensions",
            expected=f"numbers from 0 to {size - 1}",
            found=", ".join(map(str, wrong)) or "none",
        )
    codes = np.tile(start[:, None, None], (1, len(chosen), steps, 1))
    for row, dimension in enumerate(chosen):
        codes[:, row, :, dimension] = np.linspace(-reach, reach, steps)
    return codes
