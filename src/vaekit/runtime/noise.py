"""Noise that every program draws alike, whatever runs the model.

Numbers of a score belong to a seed. numpy promises that the bits of PCG64 never change, and
makes no such promise of its normal distribution: that part is done here.

    u = (bits + 1/2) / 2^53,    (z_0, z_1) = sqrt(-2 ln u_0) (cos 2 pi u_1, sin 2 pi u_1)

Reference:
    Box and Muller (1958), A Note on the Generation of Random Normal Deviates,
    https://doi.org/10.1214/aoms/1177706645
"""

import hashlib
import math
from functools import lru_cache
from typing import Final, Literal

import numpy as np
from jaxtyping import Float64

KEPT_NUMBERS: Final = 2**14
"""Larger draws are made anew each time."""


def standard_noise(
    shape: tuple[int, ...], kind: Literal["normal", "uniform"], seed: int, *purpose: str
) -> Float64[np.ndarray, "..."]:
    """Standard noise that depends on its arguments alone.

    The first rows of a longer draw are those of a shorter one.

    Args:
        shape: Shape of the draw.
        kind: Standard normal, or uniform between 0 and 1.
        seed: Chosen by the user.
        purpose: What the noise is for, so that two purposes do not share it.

    Example:
        >>> long, short = (standard_noise((n, 3), "normal", 0) for n in (9, 2))
        >>> bool((long[:2] == short).all())
        True
    """
    if math.prod(shape) <= KEPT_NUMBERS:
        return _kept(shape, kind, int(seed), purpose).copy()
    return _drawn(shape, kind, int(seed), purpose)


def _drawn(
    shape: tuple[int, ...], kind: Literal["normal", "uniform"], seed: int, purpose: tuple[str, ...]
) -> Float64[np.ndarray, "..."]:
    key = hashlib.blake2b(repr((seed, *purpose)).encode(), digest_size=16).digest()
    count = math.prod(shape)
    bits = np.random.PCG64(int.from_bytes(key, "big")).random_raw(count + count % 2)
    uniform = ((bits >> np.uint64(11)) + 0.5) * 2.0**-53
    if kind == "uniform":
        return uniform[:count].reshape(shape)
    radius, angle = np.sqrt(-2 * np.log(uniform[::2])), 2 * np.pi * uniform[1::2]
    normal = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return normal.reshape(-1)[:count].reshape(shape)


_kept = lru_cache(maxsize=64)(_drawn)
"""A service draws the noise of its default seed for every request."""
