"""Requests of the Open Inference Protocol that are wrong, each in one of the ways there are.

A strategy gives the bytes of a request whose body or head is no good, and says how it is sent.
What is right is written down once, in `GOOD`; every kind of wrong starts from there.
"""

import copy
import json
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from serving import socket_client

GOOD: dict[str, Any] = {
    "inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "data": [0.5, 1, 1.5, 2]}],
    "parameters": {"label": 1, "age": 30.0, "seed": 3, "num_samples": 2},
}
REFUSED = (400, 404, 405, 413, 422, 431)
HUGES = (2**31, 2**63, 2**64, 10**30, 10**400, -1, -(2**63), 10**4299)
HUGE = st.sampled_from(HUGES)
ODD: SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5) | HUGE | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


class Bad(NamedTuple):
    """One of them."""

    request: bytes
    statuses: tuple[int, ...] = REFUSED
    """How it may be answered; 0 where the connection ends without a word."""
    is_cut: bool = False
    """Whether the client ends its half of the connection, rather than to wait for an answer."""


def post(body: bytes, *headers: str, length: str | None = None, verb: str = "score") -> bytes:
    path = f"/v2/models/toy.{verb}/infer"
    return socket_client.post(body, *headers, path=path, length=length)


def document(change: Callable[[dict[str, Any]], object]) -> bytes:
    """The good request, after something was changed in it."""
    changed = copy.deepcopy(GOOD)
    change(changed)
    return json.dumps(changed).encode()


def tensor(**changes: Any) -> Bad:
    return Bad(post(document(lambda d: d["inputs"][0].update(changes))))


def parameter(name: str, value: Any) -> Bad:
    return Bad(post(document(lambda d: d["parameters"].update({name: value}))))


def binary(
    values: bytes, shape: list[int], datatype: str = "FP32", size: int = 16, head: int = 0
) -> Bad:
    """The good request with bytes for its tensor, and what is said of their sizes."""
    entry = {"name": "x", "shape": shape, "datatype": datatype}
    entry["parameters"] = {"binary_data_size": size}
    encoded = json.dumps({**GOOD, "inputs": [entry]}).encode()
    said = f"Inference-Header-Content-Length: {len(encoded) + head}"
    return Bad(post(encoded + values, said))


def _number(text: str) -> bytes:
    return BODY.replace(b"0.5", text.encode())


FLOATS = struct.pack("<4f", 0, 1, 2, 3)
WRONG_SHAPES = st.lists(st.integers(-2, 5) | HUGE, max_size=10).filter(
    lambda shape: shape not in ([4], [1, 4], [1, 1, 4], [1, 1, 1, 4])
)
RANKS = st.integers(1, 12).map(lambda n: json.loads("[" * n + "0.5" + "]" * n))
BODY = json.dumps(GOOD).encode()
GOOD_REQUEST = post(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\nX: "
LENGTHS = st.integers(1, len(BODY) - 1)
OVERFLOWS = [
    (name, value)
    for name in ("seed", "num_samples", "timeout", "label", "age")
    for value in (*HUGES, 1e308)
    if name in ("num_samples", "label") or value not in (2**31, *(HUGES if name == "age" else ()))
]


def sample(name: str, value: Any) -> Bad:
    """A request for draws, with something in it that is too much."""
    said = {"parameters": {"label": 1, "age": 1, name: value}}
    return Bad(post(json.dumps(said).encode(), verb="sample"))


KINDS: dict[str, SearchStrategy[Bad]] = {
    "NaN and infinities": st.sampled_from(
        ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "null", "1e39", "9" * 5000, "nan", "+1"]
    ).map(lambda text: Bad(post(_number(text)))),
    "NaN and infinities as bytes": st.tuples(
        st.sampled_from([float("nan"), float("inf"), float("-inf"), 1e38]), st.integers(0, 3)
    ).map(
        lambda f: binary(
            FLOATS[: 4 * f[1]] + struct.pack("<f", f[0]) + FLOATS[4 * f[1] + 4 :], [1, 4]
        )
    ),
    "shape": WRONG_SHAPES.map(lambda shape: tensor(shape=shape)),
    "shape of bytes": WRONG_SHAPES.map(lambda shape: binary(FLOATS, shape)),
    "nothing of a shape": WRONG_SHAPES.map(lambda shape: tensor(shape=[0, *shape], data=[])),
    "rank": RANKS.map(lambda data: tensor(data=[data, 1, [2], 3])),
    "type": st.sampled_from(["BYTES", "BF16", "fp32", "UINT8", "INT64", "BOOL", ""]).map(
        lambda datatype: tensor(datatype=datatype, data=[-0.5, 1e30, 2, 300])
    ),
    "type of bytes": st.sampled_from(["FP64", "INT8", "BOOL", "FP16", "UINT64"]).map(
        lambda datatype: binary(FLOATS, [1, 4], datatype)
    ),
    "sizes of bytes": st.tuples(HUGE | st.integers(0, 40), st.integers(-9, 40) | HUGE)
    .filter(lambda sizes: sizes != (16, 0))
    .map(lambda sizes: binary(FLOATS, [1, 4], "FP32", *sizes)),
    "overflow": st.sampled_from(OVERFLOWS).map(lambda f: parameter(*f)),
    "overflow of draws": HUGE.map(lambda n: sample("n", n)),
    "overflow of temperature": (HUGE.filter(lambda t: t != 2**31) | st.floats(min_value=1e7)).map(
        lambda t: sample("temperature", t)
    ),
    "values": st.lists(ODD, min_size=5, max_size=9).map(lambda data: tensor(data=data)),
    "condition": ODD.filter(lambda v: not isinstance(v, bool | int)).map(
        lambda value: parameter("label", [value, 1])
    ),
    "odd documents": ODD.filter(lambda v: v != {}).map(
        lambda value: Bad(post(document(lambda d: d.update(more=value))))
    ),
    "deep JSON": st.tuples(st.sampled_from(["[", '{"a":']), st.integers(17, 30_000)).map(
        lambda f: Bad(post(f[0].encode() * f[1]))
    ),
    "deep JSON that ends": st.integers(17, 30_000).map(
        lambda n: Bad(post(b'{"inputs":' + b"[" * n + b"]" * n + b"}"))
    ),
    "duplicate keys": st.sampled_from(["inputs", "parameters", "name", "shape", "seed"]).map(
        lambda key: Bad(
            post(json.dumps(GOOD).replace(f'"{key}":', f'"{key}":0,"{key}":', 1).encode())
        )
    ),
    "bytes that are no text": st.binary(min_size=1).map(lambda body: Bad(post(b"\xff" + body))),
    "truncated body": LENGTHS.map(lambda n: Bad(post(BODY)[:-n], (0,), is_cut=True)),
    "truncated JSON": LENGTHS.map(lambda n: Bad(post(BODY[:-n]))),
    "content length": st.sampled_from(["-1", "1e3", "", "9" * 30, "0x10", "1, 2", "5", "0"]).map(
        lambda length: Bad(post(BODY, length=length))
    ),
    "two content lengths": st.sampled_from(
        ["Content-Length: 3", "Transfer-Encoding: chunked", "Transfer-Encoding: gzip"]
    ).map(lambda header: Bad(post(BODY, header))),
    "chunks": st.sampled_from(
        ["zz\r\n", "5\r\n{}\r\n0\r\n\r\n", "-1\r\n", f"{2**70:x}\r\n", "2\r\n{}x"]
    ).map(lambda chunk: Bad(post(chunk.encode()).replace(b"Content-Length: ", CHUNKED, 1))),
    "pipelined garbage": st.binary(min_size=1, max_size=50).map(
        lambda rest: Bad(post(b"{", length="1") + b"\x00" + rest)
    ),
    "no HTTP": st.binary(min_size=1, max_size=50).map(lambda rest: Bad(b"\x00" + rest)),
    "odd targets": st.sampled_from(
        ["*", "//", "/v2/%ff%00", "/v2/models/..%2f..%2fetc/infer", "http://a", "/v2?" + "a" * 9000]
    ).map(lambda target: Bad(f"OPTIONS {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())),
    "a head without an end": st.integers(70_000, 300_000).map(
        # What it says may be lost, because it ends while it is still written to.
        lambda n: Bad(f"GET /v2 HTTP/1.1\r\nX: {'a' * n}".encode(), (431, 0))
    ),
    "a slow head": st.integers(1, 40).map(lambda n: Bad(post(BODY)[:n], (0,))),
    "a slow body": LENGTHS.map(lambda n: Bad(post(BODY)[:-n], (408,))),
    "no body": st.integers(1, 10**6).map(lambda n: Bad(post(b"", length=str(n)), (408,))),
}
