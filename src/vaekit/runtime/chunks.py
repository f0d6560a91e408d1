"""Work on a few rows at a time."""

from collections.abc import Callable
from typing import Any

import numpy as np


def in_chunks(verb: Callable[..., Any], size: int, *arrays: np.ndarray | None) -> Any:
    """`verb` of a few rows of each array at a time; no rows are one chunk of none."""
    size, n = max(size, 1), next(len(array) for array in arrays if array is not None)
    parts = [
        verb(*(None if array is None else array[i : i + size] for array in arrays))
        for i in range(0, max(n, 1), size)
    ]
    if isinstance(parts[0], dict):
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return np.concatenate(parts)
