"""The doors: sizes, depth, duplicates, keys, rates, headers, and what the log says."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from serving.in_process import Bench, listening
from serving.linear_server import examples

from vaekit.errors import SpecError
from vaekit.serving.body import BodyLimits, read
from vaekit.serving.keys import Key, configured_keys, keys_from_text, new_key
from vaekit.serving.rate import RateLimits
from vaekit.serving.refusals import OverloadedError, SlowError

SMALL = BodyLimits(size_bytes=2000, depth=5, elements=100)
X = examples(1)
GOOD = {"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "data": X.ravel().tolist()}]}
PATH = "/v2/models/toy.encode/infer"


@pytest.fixture(scope="module")
def small() -> Bench:
    return Bench(limits=SMALL)


async def chunks(n: int) -> AsyncIterator[bytes]:
    for _ in range(n):
        yield b" " * 500


@pytest.mark.parametrize(
    ("content", "headers", "status", "message"),
    [
        (b" " * 2001, {}, 413, "too large"),
        (b" " * 10, {"content-length": "99999999999999999999999"}, 413, "too large"),
        (b" " * 10, {"content-length": "-1"}, 413, "too large"),
        (chunks(5), {}, 413, "too large"),
        (chunks(3), {}, 400, "not JSON"),
        (b"[" * 1000, {}, 400, "nested too deeply"),
        (b"[" * 6 + b"]" * 6, {}, 400, "nested too deeply"),
        (b'{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}', {}, 400, "nested too deeply"),
        (b"[1]", {}, 400, "no JSON object"),
        (b"{", {}, 400, "not JSON"),
        (b"\xff{}", {}, 400, "not JSON"),
        (b'{"id":"a","id":"b"}', {}, 400, "twice"),
        (b'{"parameters":{"seed":NaN}}', {}, 400, "not finite"),
        (b'{"parameters":{"seed":-Infinity}}', {}, 400, "not finite"),
        (b'{"parameters":{"seed":' + b"9" * 1900 + b"}}", {}, 400, "infinity"),
        (b"[" + b"," * 100 + b"]", {}, 413, "too many elements"),
    ],
)
def test_bodies_that_are_refused(
    small: Bench, content: Any, headers: dict[str, str], status: int, message: str
) -> None:
    reply = small.ask("POST", PATH, content=content, headers=headers)
    assert (reply.status_code, message in reply.json()["error"]) == (status, True), reply.text


def test_a_body_that_is_as_large_as_it_may_be_is_read(small: Bench) -> None:
    body = json.dumps(GOOD).encode()
    reply = small.ask("POST", PATH, content=body + b" " * (2000 - len(body)))
    assert reply.status_code == 200


@pytest.mark.parametrize("begins", [True, False])
def test_a_body_that_does_not_come_is_not_waited_for(begins: bool) -> None:
    async def receive() -> dict[str, Any]:
        if started or not begins:
            await asyncio.sleep(10)
        started.append(1)
        return {"type": "http.request", "body": b"{", "more_body": True}

    started: list[int] = []
    with pytest.raises(SlowError, match="did not arrive"):
        asyncio.run(read(receive, {}, BodyLimits(read_seconds=0.01)))


# -- headers and the log --------------------------------------------------------------------------


def test_every_response_has_an_id_and_the_headers_of_a_careful_service(small: Bench) -> None:
    for path in ("/v2", "/nothing"):
        reply = small.ask("GET", path)
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["content-security-policy"].startswith("default-src 'none'")
        assert len(reply.headers["x-request-id"]) == 16
    assert small.ask("GET", "/v2", headers={"X-Request-Id": "mine-1"}).headers["x-request-id"] == (
        "mine-1"
    )
    forged = small.ask("GET", "/v2", headers={"X-Request-Id": 'a"b'})
    assert forged.headers["x-request-id"] != 'a"b'


def test_a_request_leaves_one_line_without_its_values() -> None:
    bench = Bench()
    bench.infer("encode", {"inputs": [GOOD["inputs"][0] | {"data": [12.3456] * 4}]})
    bench.infer("encode", {"inputs": [GOOD["inputs"][0] | {"data": [1234.56] * 4}]})
    bench.ask("GET", "/v2/health/live")
    first, second = bench.lines
    assert first["status"] == 200
    assert first["outcome"] == "ok"
    assert (first["model"], first["version"], first["verb"]) == ("toy", "1", "encode")
    assert first["examples"] == 1
    assert 0 < first["seconds"] < 10
    assert (second["status"], second["outcome"]) == (422, "data")
    assert "12.34" not in bench.written.getvalue()
    assert "1234.5" not in bench.written.getvalue()


def test_what_fails_inside_is_logged_and_says_nothing_outward(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench()

    def broken(*_: Any) -> None:
        raise KeyError("a secret")

    monkeypatch.setattr(bench.models, "find", broken)
    reply = bench.infer("encode", GOOD)
    assert reply.status_code == 500
    assert reply.json() == {"error": "The service failed."}
    failure, request = bench.lines
    assert failure["error"][0].startswith("KeyError at ")
    assert request["outcome"] == "failure"
    assert "secret" not in bench.written.getvalue()


# -- keys -----------------------------------------------------------------------------------------


def _bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_keys_open_what_their_scope_says() -> None:
    secret, infer = new_key("frontend", ["infer"])
    other, admin = new_key("release", ["admin"])
    bench = Bench(keys=[infer, admin])
    assert bench.infer("encode", GOOD).status_code == 401
    assert bench.infer("encode", GOOD).headers["www-authenticate"] == "Bearer"
    assert bench.infer("encode", GOOD, headers=_bearer("vk_wrong")).status_code == 401
    assert bench.infer("encode", GOOD, headers=_bearer(infer.digest)).status_code == 401
    assert bench.infer("encode", GOOD, headers={"Authorization": secret}).status_code == 401
    assert bench.infer("encode", GOOD, headers=_bearer(other)).status_code == 403
    assert bench.infer("encode", GOOD, headers=_bearer(secret)).status_code == 200
    assert bench.infer("encode", GOOD, headers={"X-API-Key": secret}).status_code == 200
    assert bench.lines[-1]["key"] == "frontend"
    assert bench.ask("GET", "/v2/health/ready").status_code == 200
    assert bench.ask("GET", "/v2/models/toy.score").status_code == 401
    assert bench.ask("GET", "/admin/models", headers=_bearer(secret)).status_code == 403
    assert secret not in bench.written.getvalue()
    assert other not in bench.written.getvalue()


def test_tools_of_others_send_keys_too() -> None:
    secret, key = new_key("client", ["infer"])
    from tritonclient import http as triton

    with (
        listening(Bench(keys=[key]).app) as address,
        triton.InferenceServerClient(address) as client,
    ):
        assert client.is_model_ready("toy.score", headers=_bearer(secret))
        assert not client.is_model_ready("toy.score")


def test_keys_come_from_a_file_and_from_the_environment(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "keys"
    _, one = new_key("one", ["infer"], 2.5)
    _, two = new_key("two", ["admin", "infer"])
    file.write_text(f"# who may\n\n{one.line}\n")
    monkeypatch.setenv("VAEKIT_API_KEYS", f"{two.line};")
    assert configured_keys(file) == (two, one)
    monkeypatch.delenv("VAEKIT_API_KEYS")
    assert configured_keys(None) == ()
    with pytest.raises(SpecError, match="cannot be read"):
        configured_keys(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("a infer", "2 fields"),
        (f"a root {'0' * 64}", "scopes 'root'"),
        (f"a infer {'0' * 63}", "where the hash would be"),
        (f"a infer {'0' * 64} fast", "rate 'fast'"),
        (f"a infer {'0' * 64} -1", "rate '-1'"),
        (f"a/b infer {'0' * 64}", "name 'a/b'"),
        (f"a infer {'0' * 64}\na infer {'1' * 64}", "twice"),
        (f"vk_a infer {'0' * 63}", "where the hash would be"),
        ("a vk_abc infer", "scopes that is a key"),
    ],
)
def test_lines_that_are_no_keys(line: str, found: str) -> None:
    with pytest.raises(SpecError, match=found):
        keys_from_text(line, "keys")


def test_a_key_that_asks_too_often_waits() -> None:
    now = [0.0]
    rates, key = RateLimits(workers=2, clock=lambda: now[0]), Key("a", frozenset(), "", 8)
    for _ in range(4):
        rates.take(key)
    with pytest.raises(OverloadedError, match="8 requests per second") as refused:
        rates.take(key)
    assert refused.value.retry_after == pytest.approx(0.25)
    now[0] = 0.25
    rates.take(key)
    rates.take(None)


def test_without_keys_an_address_has_a_rate() -> None:
    now = [0.0]
    rates = RateLimits(workers=2, clock=lambda: now[0], per_second=4)
    for address in ("10.0.0.1", "10.0.0.2", "2001:db8::1"):
        for _ in range(2):
            rates.take(None, address)
    with pytest.raises(OverloadedError, match=r"address asks too often[\s\S]*4 requests"):
        rates.take(None, "10.0.0.1")
    with pytest.raises(OverloadedError):  # of the same household
        rates.take(None, "2001:db8::ffff:2")
    rates.take(None, "2001:db8:0:1::1")
    rates.take(None, None)  # a socket of this machine
    now[0] = 0.5
    rates.take(None, "10.0.0.1")


def test_a_keys_own_rate_goes_before_the_common_one() -> None:
    rates = RateLimits(clock=lambda: 0.0, per_second=1)
    fast, common = Key("fast", frozenset(), "", 3), Key("common", frozenset(), "")
    for _ in range(3):
        rates.take(fast, "10.0.0.1")
    rates.take(common, "10.0.0.1")
    for key in (fast, common):
        with pytest.raises(OverloadedError, match="key asks too often"):
            rates.take(key, "10.0.0.9")


def test_addresses_that_are_done_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vaekit.serving.rate.MOST_BUCKETS", 100)
    now = [0.0]
    rates = RateLimits(clock=lambda: now[0], per_second=1)
    for number in range(1000):
        now[0] += 0.1
        rates.take(None, f"10.0.{number // 250}.{number % 250}")
        assert len(rates._buckets) <= 101
    with pytest.raises(OverloadedError):  # but not whoever asked just now
        rates.take(None, "10.0.3.249")


def test_a_flood_of_addresses_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vaekit.serving.rate.MOST_BUCKETS", 100)
    rates = RateLimits(clock=lambda: 0.0, per_second=1)
    for number in range(1000):
        rates.take(None, f"10.0.{number // 250}.{number % 250}")
    assert len(rates._buckets) <= 101


def test_an_addresss_rate_counts_at_the_door() -> None:
    bench = Bench(rates=RateLimits(per_second=0.001))
    statuses = [bench.infer("encode", GOOD).status_code for _ in range(2)]
    assert statuses == [200, 429]
    assert bench.ask("GET", "/v2/health/live").status_code == 200  # probes are not counted


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip", "GZIP"])
@pytest.mark.parametrize("path", [PATH, "/v1/models/toy/encode"])
def test_a_compressed_body_is_refused_by_name(small: Bench, path: str, encoding: str) -> None:
    body = gzip.compress(json.dumps(GOOD).encode())
    reply = small.ask("POST", path, content=body, headers={"content-encoding": encoding})
    assert (reply.status_code, "Compressed bodies" in reply.json()["error"]) == (415, True)
    described = small.ask("GET", "/openapi.json").json()["paths"]
    known = path.replace("toy.encode", "{model}").replace("toy", "{name}")
    assert "compressed" in described[known]["post"]["responses"]["415"]["description"]


def test_a_body_that_says_it_is_plain_is_read(small: Bench) -> None:
    reply = small.ask("POST", PATH, json=GOOD, headers={"content-encoding": "identity"})
    assert reply.status_code == 200


def test_a_rate_counts_at_the_door() -> None:
    secret, key = new_key("slow", ["infer"], 0.001)
    bench = Bench(keys=[key])
    statuses = [bench.infer("encode", GOOD, headers=_bearer(secret)).status_code for _ in range(2)]
    assert statuses == [200, 429]


def test_a_full_queue_is_429_and_draining_is_503() -> None:
    bench = Bench()
    bench.desk.is_draining = True
    reply = bench.infer("encode", GOOD)
    assert reply.status_code == 503
    assert reply.headers["retry-after"] == "1"
    assert bench.ask("GET", "/v2/health/ready").status_code == 503
    assert bench.ask("GET", "/v2/models/toy.encode/ready").status_code == 503
    assert bench.ask("GET", "/v2/health/live").status_code == 200
