"""What this process answered in the last seconds, for people who look at it."""

import time
from collections import deque
from typing import Final, NamedTuple, final

import numpy as np

from vaekit.serving.exchange import Exchange

WINDOW_SECONDS: Final = 10.0
MOST_REQUESTS: Final = 20_000


class Rates(NamedTuple):
    """Of a model, over the window."""

    requests_per_second: float
    examples_per_second: float
    failures: int
    median_ms: float | None
    p95_ms: float | None


class _Seen(NamedTuple):
    at: float
    model: str
    examples: int
    seconds: float
    failed: bool


@final
class Traffic:
    """Remembers requests for a few seconds."""

    def __init__(self) -> None:
        self._seen: deque[_Seen] = deque(maxlen=MOST_REQUESTS)

    def ended(self, exchange: Exchange, status: int) -> None:
        """Takes note of a request that was asked of a model."""
        if exchange.model is None:
            return
        now = time.monotonic()
        seconds = now - exchange.started
        self._seen.append(_Seen(now, exchange.model, exchange.examples, seconds, status >= 400))

    def rates(self, model: str) -> Rates:
        """What a model was asked lately; times are of requests that were answered."""
        since = time.monotonic() - WINDOW_SECONDS
        while self._seen and self._seen[0].at < since:
            self._seen.popleft()
        seen = [one for one in self._seen if one.model == model]
        answered = [1000 * one.seconds for one in seen if not one.failed]
        median, p95 = np.percentile(answered, [50, 95]).tolist() if answered else (None, None)
        return Rates(
            len(seen) / WINDOW_SECONDS,
            sum(one.examples for one in seen) / WINDOW_SECONDS,
            len(seen) - len(answered),
            median,
            p95,
        )
