"""The outermost layer: every request has an id, an end and a line in the log.

Whatever happens inside, the client gets a reply in JSON with a status that says whose mistake
it was, and never a traceback.
"""

import os
import re
from collections.abc import Callable, MutableMapping
from typing import Any, Final, TypeAlias, final

from vaekit.errors import VaekitError
from vaekit.serving.body import DisconnectedError, Receive
from vaekit.serving.desk import Desk
from vaekit.serving.exchange import (
    KEY_IN_SCOPE,
    SPAN_IN_SCOPE,
    App,
    Exchange,
    Scope,
    Send,
    refusal,
    send_reply,
)
from vaekit.serving.log import Log

SECURITY: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
QUIET: Final = ("/v2/health/live", "/v2/health/ready", "/metrics")
"""What is asked every few seconds, and logged only where it fails."""
_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")

Ended: TypeAlias = Callable[[Exchange, int], object]
"""Who is told of the end of every request, with its status."""


@final
class Envelope:
    """Wraps the service.

    Args:
        inner: What answers.
        log: Where requests leave a line.
        desk: Knows whether the process is leaving; then connections end with their response.
        ended: Is told of every end.
    """

    def __init__(self, inner: App, log: Log, desk: Desk, ended: Ended | None = None) -> None:
        self._inner, self._log, self._desk, self._ended = inner, log, desk, ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        identifier = given if _ID.fullmatch(given) else os.urandom(8).hex().encode()
        exchange = scope[KEY_IN_SCOPE] = Exchange(identifier.decode(), headers)
        exchange.span = scope.get(SPAN_IN_SCOPE, (None, None))
        response = _Response(send, identifier, self._desk.is_leaving)
        try:
            await self._inner(scope, receive, response.send)
        except VaekitError as error:
            exchange.outcome = type(error).__name__.removesuffix("Error").lower()
            if error.__cause__ is not None and error.http_status == 500:
                self._log.failure(error, request_id=exchange.id)
            await response.replace(error)
        except DisconnectedError:
            exchange.outcome = "disconnected"
        except Exception as error:
            exchange.outcome = "failure"
            self._log.failure(error, request_id=exchange.id)
            await response.replace(VaekitError("The service failed."))
        finally:
            self._end(scope, exchange, response.status)

    def _end(self, scope: Scope, exchange: Exchange, status: int) -> None:
        if self._ended is not None:
            self._ended(exchange, status)
        if status >= 400 or scope["path"] not in QUIET:
            self._log.request(exchange, scope["method"], scope["path"], status)


class _Response:
    """What was sent so far, with the headers that every response has."""

    def __init__(self, send: Send, identifier: bytes, is_last: bool) -> None:
        self._send, self.status = send, 0
        self._headers = [(b"x-request-id", identifier), *SECURITY]
        if is_last:
            self._headers.append((b"connection", b"close"))

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            own = {name.lower() for name, _ in message["headers"]}
            added = [header for header in self._headers if header[0] not in own]
            message = {**message, "headers": [*message["headers"], *added]}
        await self._send(message)

    async def replace(self, error: VaekitError) -> None:
        """Sends what an error says, unless an answer has begun: that one is cut off."""
        if self.status:
            raise error
        await send_reply(self.send, refusal(error))
