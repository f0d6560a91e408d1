"""Who may come in: each path needs a scope, and each key has a rate."""

from typing import Final, final

from vaekit.serving.body import Receive
from vaekit.serving.exchange import App, Send, exchange_of
from vaekit.serving.exchange import Scope as AsgiScope
from vaekit.serving.keys import Keyring, Scope
from vaekit.serving.rate import RateLimits

OPEN: Final = ("/v2/health/live", "/v2/health/ready", "/v2", "/openapi.json", "/docs", "/")
"""What says nothing of models; probes and people find their way without a key."""


@final
class Doorkeeper:
    """Lets in who may.

    Args:
        inner: What is behind the door.
        keyring: Knows the keys.
        rates: Counts requests.
    """

    def __init__(self, inner: App, keyring: Keyring, rates: RateLimits) -> None:
        self._inner, self._keyring, self._rates = inner, keyring, rates

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if not _is_open(path):
            key = self._keyring.admit(exchange_of(scope), _needed(path))
            client = scope.get("client")
            self._rates.take(key, client[0] if client else None)
        await self._inner(scope, receive, send)


def _is_open(path: str) -> bool:
    """Whether nothing about models is said there; the page asks for all that is said of them."""
    is_shell = path.startswith("/look") and not path.startswith("/look/pages/")
    return path in OPEN or is_shell


def _needed(path: str) -> Scope:
    return "admin" if path.startswith("/admin") else "infer"
