"""How much every model is asked, for people who look at it: read off what the service counts.

Counts are of all worker processes; a rate is the difference between two readings, a few seconds
apart.
"""

import math
import time
from collections import defaultdict, deque
from typing import Final, NamedTuple, final

from vaekit.serving.metrics import Metrics

LONGEST_SECONDS: Final = 10.0
"""How far back a reading may lie."""


class Rates(NamedTuple):
    """Of a model, between two readings."""

    requests_per_second: float = 0.0
    examples_per_second: float = 0.0
    failures: int = 0
    median_ms: float | None = None
    p95_ms: float | None = None


class Counts(NamedTuple):
    """Of a model, since its service began."""

    requests: float = 0.0
    examples: float = 0.0
    failures: float = 0.0
    buckets: tuple[tuple[float, float], ...] = ()
    """Upper bound in seconds, and requests up to it; from small to large."""


class _Reading(NamedTuple):
    at: float
    counts: dict[str, Counts]


@final
class Traffic:
    """Remembers a few readings.

    Args:
        metrics: What the service counts.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._readings: deque[_Reading] = deque()

    def rates(self) -> dict[str, Rates]:
        """What every model was asked since the oldest reading that is kept; zero at the first."""
        now = _Reading(time.monotonic(), counted(self._metrics))
        while self._readings and self._readings[0].at < now.at - LONGEST_SECONDS:
            self._readings.popleft()
        first = self._readings[0] if self._readings else now
        self._readings.append(now)
        seconds = max(now.at - first.at, 1e-3)
        return {
            name: rates_between(first.counts.get(name, Counts()), counts, seconds)
            for name, counts in now.counts.items()
        }


def counted(metrics: Metrics) -> dict[str, Counts]:
    """What is counted of every model."""
    totals: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    buckets: dict[str, dict[float, float]] = defaultdict(lambda: defaultdict(float))
    for sample in metrics.samples():
        model = sample.labels.get("model", "")
        if sample.name == "vaekit_requests_total":
            totals[model]["requests"] += sample.value
            totals[model]["failures"] += sample.value * (sample.labels["outcome"] != "ok")
        elif sample.name == "vaekit_examples_total":
            totals[model]["examples"] += sample.value
        elif sample.name == "vaekit_request_seconds_bucket":
            buckets[model][float(sample.labels["le"])] += sample.value
    return {
        model: Counts(**found, buckets=tuple(sorted(buckets[model].items())))
        for model, found in totals.items()
        if model
    }


def rates_between(before: Counts, now: Counts, seconds: float) -> Rates:
    """Rates over some seconds, from what was counted before and after."""
    earlier = dict(before.buckets)
    buckets = [(bound, count - earlier.get(bound, 0.0)) for bound, count in now.buckets]
    return Rates(
        (now.requests - before.requests) / seconds,
        (now.examples - before.examples) / seconds,
        round(now.failures - before.failures),
        quantile_ms(buckets, 0.5),
        quantile_ms(buckets, 0.95),
    )


def quantile_ms(buckets: list[tuple[float, float]], level: float) -> float | None:
    """A quantile of times, spread evenly within their bucket; None where there are none.

    Example:
        >>> quantile_ms([(0.001, 0.0), (0.002, 10.0), (float("inf"), 10.0)], 0.5)
        1.5
    """
    if not buckets or buckets[-1][1] <= 0:
        return None
    wanted, low, below = level * buckets[-1][1], 0.0, 0.0
    for bound, count in buckets:
        if count >= wanted:
            high = low if math.isinf(bound) else bound
            share = (wanted - below) / max(count - below, 1e-12)
            return 1000 * (low + share * (high - low))
        low, below = bound, count
    return 1000 * low
