"""The log: one JSON object a line, of what was asked and how it ended, never of its values.

Nothing that looks like a key is written, wherever somebody has put it.
"""

import contextlib
import json
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, final

import orjson

from vaekit.serving.exchange import Exchange
from vaekit.serving.keys import without_keys


@final
class Log:
    """Writes lines.

    Args:
        write: Takes a line with its end.
    """

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    def request(self, exchange: Exchange, method: str, path: str, status: int) -> None:
        """A request that has ended."""
        trace, span = exchange.span
        self.write(
            "info" if status < 500 else "error",
            "request",
            request_id=exchange.id,
            trace_id=trace,
            span_id=span,
            method=method,
            path=path[:200],
            status=status,
            outcome=exchange.outcome,
            seconds=round(time.monotonic() - exchange.started, 6),
            key=exchange.key,
            model=exchange.model,
            version=exchange.version,
            verb=exchange.verb,
            examples=exchange.examples or None,
        )

    def failure(self, error: BaseException, **details: Any) -> None:
        """Something that should not have happened; what the error says may hold values."""
        chain: list[str] = []
        cause: BaseException | None = error
        while cause is not None and len(chain) < 5:
            frames = traceback.extract_tb(cause.__traceback__)[-6:]
            places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
            chain.append(f"{type(cause).__name__} at {' < '.join(reversed(places))}")
            cause = cause.__cause__
        self.write("error", "failure", error=chain, **details)

    def write(self, level: str, event: str, **fields: Any) -> None:
        """One line; what is None is left out."""
        line: dict[str, Any] = {"time": datetime.now(UTC), "level": level, "event": event}
        line |= {name: value for name, value in fields.items() if value is not None}
        self._write(without_keys(_one_line(line)))


def _one_line(line: dict[str, Any]) -> str:
    try:
        return orjson.dumps(line, str, orjson.OPT_APPEND_NEWLINE).decode()
    except orjson.JSONEncodeError:  # text that is no Unicode, as names of files may be
        return json.dumps(line, default=str) + "\n"


def to_standard_error(line: str) -> None:
    """Where a service writes its log; where it cannot be written, the service goes on."""
    with contextlib.suppress(OSError):
        sys.stderr.write(line)
        sys.stderr.flush()
