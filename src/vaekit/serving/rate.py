"""How often a key may ask: a bucket of tokens for each, filled at its rate.

Each process has its own buckets: with several workers, the rate of a key is divided among them.
"""

import time
from collections.abc import Callable
from typing import Final, final

from vaekit.serving.keys import Key
from vaekit.serving.refusals import OverloadedError

BURST_SECONDS: Final = 1.0
"""How much of a rate may come at once."""


@final
class RateLimits:
    """Counts requests by key.

    Args:
        workers: Processes that share a rate.
        clock: Seconds that only grow.
    """

    def __init__(self, workers: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self._workers, self._clock = workers, clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, key: Key | None) -> None:
        """Counts one request.

        Raises:
            OverloadedError: It is one too many.
        """
        if key is None or key.per_second is None:
            return
        rate, now = key.per_second / self._workers, self._clock()
        most = max(1.0, rate * BURST_SECONDS)
        tokens, then = self._buckets.get(key.name, (most, now))
        tokens = min(most, tokens + (now - then) * rate)
        if tokens < 1:
            self._buckets[key.name] = tokens, now
            raise OverloadedError(
                "This key asks too often.",
                expected=f"{key.per_second:g} requests per second",
                retry_after=(1 - tokens) / rate,
            )
        self._buckets[key.name] = tokens - 1, now
