"""How often somebody may ask: a bucket of tokens for each, filled at its rate.

Somebody is a key; where the service has no keys, it is an address (of IPv6 its first 64 bits, which
one household has). Each process has its own buckets: with several workers, a rate is divided among
them.
"""

import ipaddress
import time
from collections.abc import Callable
from typing import Final, final

from vaekit.serving.keys import Key
from vaekit.serving.refusals import OverloadedError

BURST_SECONDS: Final = 1.0
"""How much of a rate may come at once."""
MOST_BUCKETS: Final = 10_000
"""Where there are more, those that are full again are forgotten."""


@final
class RateLimits:
    """Counts requests by who asks.

    Args:
        workers: Processes that share a rate.
        clock: Seconds that only grow.
        per_second: Of a key without a rate of its own, and of an address where there are no keys;
            as many as they like where absent.
    """

    def __init__(
        self,
        workers: int = 1,
        clock: Callable[[], float] = time.monotonic,
        per_second: float | None = None,
    ) -> None:
        self._workers, self._clock, self._per_second = workers, clock, per_second
        self._buckets: dict[str, tuple[float, float, float]] = {}

    def take(self, key: Key | None, address: str | None = None) -> None:
        """Counts one request.

        Args:
            key: Whose it is.
            address: Where it is from, for those without a key.

        Raises:
            OverloadedError: It is one too many.
        """
        own = None if key is None else key.per_second
        per_second = self._per_second if own is None else own
        if per_second is None or (key is None and address is None):
            return
        who = f"key {key.name}" if key is not None else f"address {_household(address or '')}"
        rate, now = per_second / self._workers, self._clock()
        most = max(1.0, rate * BURST_SECONDS)
        tokens, then, _ = self._buckets.get(who, (most, now, now))
        tokens = min(most, tokens + (now - then) * rate)
        if tokens < 1:
            raise OverloadedError(
                f"This {'address' if key is None else 'key'} asks too often.",
                expected=f"{per_second:g} requests per second",
                retry_after=(1 - tokens) / rate,
            )
        self._buckets[who] = tokens - 1, now, now + (most - tokens + 1) / rate
        if len(self._buckets) > MOST_BUCKETS:
            self._forget(now)

    def _forget(self, now: float) -> None:
        """Whoever has a full bucket again, and as many of the others as are too many."""
        kept = [(who, bucket) for who, bucket in self._buckets.items() if bucket[2] > now]
        self._buckets = dict(kept[-MOST_BUCKETS // 2 :])


def _household(address: str) -> str:
    try:
        known = ipaddress.ip_address(address)
    except ValueError:  # a socket's path, or a name
        return address
    if known.version == 4:
        return address
    return str(ipaddress.ip_network((known, 64), strict=False))
