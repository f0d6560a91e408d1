"""How long a graph takes, per example, on one thread."""

import statistics
import time
from collections.abc import Callable
from typing import Final

BATCHES: Final = (1, 64)
FEWEST_RUNS: Final = 5
SECONDS: Final = 0.2
"""For each verb and batch size."""


def median_ms(run: Callable[[int], object], batch: int) -> float:
    """Median milliseconds per example.

    Args:
        run: Works off a batch of so many examples.
        batch: How many.
    """
    run(batch)  # memory is laid out in the first run
    taken: list[float] = []
    while len(taken) < FEWEST_RUNS or sum(taken) < SECONDS:
        start = time.perf_counter()
        run(batch)
        taken.append(time.perf_counter() - start)
    return 1000 * statistics.median(taken) / batch
