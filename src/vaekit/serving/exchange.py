"""One request and its reply, as every handler of this room sees them."""

import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias, final

import orjson

from vaekit.errors import RequestError, VaekitError
from vaekit.serving.body import BodyLimits, Receive, read
from vaekit.serving.refusals import MethodError

Scope: TypeAlias = MutableMapping[str, Any]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

JSON: Final = b"application/json"
KEY_IN_SCOPE: Final = "vaekit"
SPAN_IN_SCOPE: Final = "vaekit.span"
"""Identifiers of the request's trace and span, where there is one."""
LONGEST_REFUSAL: Final = 2000
"""Characters; what was found may be as long as a request."""


@final
@dataclass(slots=True)
class Exchange:
    """What is known of a request while it is answered, for the log and for metrics.

    Args:
        id: Given by the client, or made here.
        headers: In lower case; the last one counts where one is repeated.
        span: Identifiers of its trace and span, where it has them.
    """

    id: str
    headers: Mapping[bytes, bytes]
    started: float = field(default_factory=time.monotonic)
    key: str | None = None
    model: str | None = None
    version: str | None = None
    verb: str | None = None
    examples: int = 0
    outcome: str = "ok"
    span: tuple[str, str] | tuple[None, None] = (None, None)


class Reply(NamedTuple):
    """What goes back."""

    body: bytes
    status: int = 200
    media_type: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


def exchange_of(scope: Scope) -> Exchange:
    """The exchange of an ASGI scope."""
    return scope[KEY_IN_SCOPE]


def json_reply(document: Any, status: int = 200) -> Reply:
    """A reply in JSON."""
    return Reply(orjson.dumps(document), status)


def refusal(error: VaekitError) -> Reply:
    """What a client is told of an error: all of its own mistakes, little of ours."""
    status = error.http_status
    said = str(error) if status < 500 or isinstance(error, RequestError) else error.problem
    reply = json_reply({"error": said[:LONGEST_REFUSAL]}, status)
    headers: list[tuple[bytes, bytes]] = []
    if isinstance(error, RequestError) and error.retry_after is not None:
        headers.append((b"retry-after", b"%d" % max(1, round(error.retry_after))))
    if isinstance(error, MethodError):
        headers.append((b"allow", ", ".join(error.allowed).encode()))
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if status in (408, 413):
        headers.append((b"connection", b"close"))  # the rest of the body is not read
    return reply._replace(headers=tuple(headers))


async def send_reply(send: Send, reply: Reply) -> None:
    """Sends all of a reply."""
    headers = [
        (b"content-type", reply.media_type),
        (b"content-length", b"%d" % len(reply.body)),
        *reply.headers,
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


def check_method(scope: Scope, *methods: str) -> None:
    """Complains of a method that a path does not take.

    Raises:
        MethodError: It is none of these.
    """
    if scope["method"] not in methods:
        raise MethodError(f"This path takes {methods[0]}.", methods, found=scope["method"])


async def body_of(scope: Scope, receive: Receive, limits: BodyLimits) -> bytes:
    """The body of a request, within limits."""
    return await read(receive, exchange_of(scope).headers, limits)
