"""A connection, as uvicorn handles it, with bounds for what comes before a request is known.

A body is read within limits by whoever wants it. The head comes before anybody could: here it
has to be there in time, and to be of a decent size. The time is that of a connection on which
nothing happens; it also ends bodies that nobody wanted, where they do not end by themselves.
"""

import asyncio
from typing import Any, Final, final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD_BYTES: Final = 2**16
LAST_SECONDS: Final = 1.0
"""For a request that was sent before its sender could know of the end."""
_TOO_LARGE: Final = b'{"error":"The head of the request is too large."}'


@final
class Connection(HttpToolsProtocol):
    """One client, from its connection to its end.

    Args:
        arguments: As uvicorn gives them.
    """

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._head_bytes, self._is_in_head = 0, True
        self._end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_waiting()

    def data_received(self, data: bytes) -> None:
        if self._is_in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._is_in_head and self._head_bytes > LARGEST_HEAD_BYTES:
            self._refuse()
        elif self.cycle is None or self.cycle.response_complete:
            self._await_request()
        else:
            self._stop_waiting()

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_in_head, self._head_bytes = True, 0
        super().on_message_complete()

    def shutdown(self) -> None:
        """The service ends: a request that is on its way still has its answer, and is the last."""
        if self.cycle is None or self.cycle.response_complete:
            self.loop.call_later(LAST_SECONDS, super().shutdown)
        else:
            super().shutdown()

    def _await_request(self) -> None:
        if self._end is None and not self.transport.is_closing():
            self._end = self.loop.call_later(self.timeout_keep_alive, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._end is not None:
            self._end.cancel()
            self._end = None

    def _refuse(self) -> None:
        if self.transport.is_closing():
            return
        self.transport.write(
            b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\nconnection: close\r\n\r\n%s" % (len(_TOO_LARGE), _TOO_LARGE)
        )
        self.transport.close()
