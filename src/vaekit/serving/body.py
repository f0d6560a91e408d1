"""Bodies of requests: read up to a limit, and JSON parsed strictly.

Size, depth and number of elements are bounded before anything is built of them; keys occur
once; NaN and Infinity, which are not JSON, are no numbers here either.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias, final

import numpy as np
import orjson

from vaekit.serving.refusals import MalformedError, MediaTypeError, SlowError, TooLargeError

Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]


@final
@dataclass(frozen=True, slots=True)
class BodyLimits:
    """What a body may be.

    Args:
        size_bytes: All of it.
        depth: Lists and objects within each other; brackets inside of text count, too.
        elements: Values and keys of JSON, about.
        read_seconds: Until it has to be there.
    """

    size_bytes: int = 16 * 2**20
    depth: int = 16
    elements: int = 2**21
    read_seconds: float = 30.0


class DisconnectedError(Exception):
    """The client went away before its request was whole."""


async def read(receive: Receive, headers: Mapping[bytes, bytes], limits: BodyLimits) -> bytes:
    """The body of a request.

    Raises:
        MediaTypeError: It is compressed.
        TooLargeError: It is, or says that it will be, over the limit.
        SlowError: It does not come.
        DisconnectedError: The client went away.
    """
    encoding = headers.get(b"content-encoding", b"identity")
    if encoding.strip().lower() not in (b"identity", b""):
        raise MediaTypeError(
            "Compressed bodies are not read here.",
            where="Content-Encoding",
            expected="identity",
            found=encoding[:60].decode("latin-1"),
            remedy="send the body as it is; binary tensors are a third of the same as JSON",
        )
    length = headers.get(b"content-length", b"0")
    if not length.isdigit() or int(length[:19]) > limits.size_bytes:
        _too_large(limits)
    try:
        async with asyncio.timeout(limits.read_seconds):
            return await _whole(receive, limits)
    except TimeoutError:
        raise SlowError(
            "The request did not arrive in time.", expected=f"in {limits.read_seconds:g} s"
        ) from None


async def _whole(receive: Receive, limits: BodyLimits) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise DisconnectedError
        body += message.get("body", b"")
        if len(body) > limits.size_bytes:  # whatever its length was said to be
            _too_large(limits)
        if not message.get("more_body"):
            return bytes(body)


def parsed(body: bytes, limits: BodyLimits) -> dict[str, Any]:
    """The JSON object in a body.

    Raises:
        MalformedError: It is none.
        TooLargeError: It has too many elements.
    """
    document = json_value(body, limits)
    if not isinstance(document, dict):
        raise MalformedError("The body is no JSON object.", found=type(document).__name__)
    return document


def json_value(text: bytes, limits: BodyLimits) -> Any:
    """What JSON says, whatever it is.

    Raises:
        MalformedError: It is no JSON.
        TooLargeError: It has too many elements.
    """
    _check_depth(text, limits)
    if text.count(b",") + text.count(b"[") + text.count(b"{") > limits.elements:
        raise TooLargeError(
            "There are too many elements in the JSON.", expected=f"{limits.elements:,} at most"
        )
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        _check_closely(text)
        raise MalformedError("This is not JSON.", found=str(error)[:120]) from error
    if text.count(b":") != _num_keys(document):  # a key twice, or a colon in some text
        _check_closely(text)
    return document


def _check_depth(body: bytes, limits: BodyLimits) -> None:
    if body.count(b"[") + body.count(b"{") <= limits.depth:
        return
    brackets = np.frombuffer(body.translate(None, delete=_NO_BRACKETS), np.uint8)
    opens = (brackets == ord("[")) | (brackets == ord("{"))
    if np.where(opens, 1, -1).cumsum().max() > limits.depth:
        raise MalformedError(
            "The JSON is nested too deeply.",
            expected=f"{limits.depth} lists and objects within each other at most",
        )


_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def _num_keys(document: Any) -> int:
    """Keys of all objects, but for those in lists that begin with a plain value: not many."""
    if isinstance(document, dict):
        return len(document) + sum(map(_num_keys, document.values()))
    if isinstance(document, list) and document and isinstance(document[0], dict | list):
        return sum(map(_num_keys, document))
    return 0


def _check_closely(body: bytes) -> None:
    """Says of JSON what the fast parser does not see, or does not say as well.

    Raises:
        MalformedError: A key occurs twice in one object, or a number is not finite.
    """
    with contextlib.suppress(ValueError, RecursionError):  # the fast one says that
        _DECODER.decode(body.decode())


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise MalformedError("A key occurs twice in one JSON object.")
    return found


def _no_constant(_name: str) -> NoReturn:
    raise MalformedError(
        "A number is not finite.", expected="JSON numbers; null where a value is missing"
    )


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant)


def _too_large(limits: BodyLimits) -> NoReturn:
    raise TooLargeError(
        "The body is too large.",
        expected=f"{limits.size_bytes:,} bytes at most",
        remedy="send fewer examples at a time, or binary tensors",
    )
