"""Traces: what spans say, whose child they are, and that they come from nobody who did not ask."""

import asyncio
import gzip
import http.server
import io
import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext, SpanKind, StatusCode, format_span_id, format_trace_id
from serving.folders import fake_opener, put
from serving.linear_server import examples
from serving.test_process import ARTIFACT, X, ask, serving, wait_until_ready

from vaekit.errors import MissingExtraError, SpecError
from vaekit.serving import Service, Settings
from vaekit.serving.engine import BatchReport
from vaekit.serving.log import Log
from vaekit.serving.spans import Spans, route
from vaekit.serving.tracing import Tracing, tracing_of

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NOT_SAMPLED = f"{CALLER[:-1]}0"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENDPOINT", "TRACES_ENDPOINT", "PROTOCOL", "TRACES_PROTOCOL"):
        monkeypatch.delenv(f"OTEL_EXPORTER_OTLP_{name}", raising=False)
    for name in ("SERVICE_NAME", "SDK_DISABLED", "TRACES_EXPORTER", "TRACES_SAMPLER"):
        monkeypatch.delenv(f"OTEL_{name}", raising=False)


def spans_of(
    tmp_path: Path, *requests: dict[str, Any], lines: io.StringIO | None = None
) -> tuple[ReadableSpan, ...]:
    """What a service makes of requests, one after the other, until its end.

    Args:
        tmp_path: For its models.
        requests: What is asked.
        lines: Gets its log.
    """
    exporter = InMemorySpanExporter()
    put(tmp_path / "models", "toy", "1")

    async def whole() -> None:
        log = Log((lines or io.StringIO()).write)
        service = Service(
            Settings(path=tmp_path / "models"), fake_opener, log, tracing=Spans(exporter)
        )
        await service.start()
        transport = httpx.ASGITransport(app=service)
        async with httpx.AsyncClient(transport=transport, base_url="http://toy") as client:
            for request in requests:
                await client.request(**request)
        await service.stop()

    asyncio.run(whole())
    return exporter.get_finished_spans()


def score(**more: Any) -> dict[str, Any]:
    document = {"x": examples(3).tolist(), "num_samples": 4}
    return {"method": "POST", "url": "/v1/models/toy/score", "json": document} | more


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def context(span: ReadableSpan) -> SpanContext:
    assert span.context is not None
    return span.context


def the_request(spans: tuple[ReadableSpan, ...]) -> ReadableSpan:
    (found,) = (span for span in spans if span.kind is SpanKind.SERVER)
    return found


def test_a_request_is_a_span_below_the_callers_with_two_below_it(tmp_path: Path) -> None:
    headers = {"traceparent": CALLER, "x-request-id": "mine-7", "user-agent": "me/1"}
    spans = spans_of(tmp_path, score(headers=headers))
    request = the_request(spans)
    assert request.name == "POST /v1/models/{name}/score"
    assert format_trace_id(context(request).trace_id) == CALLER[3:35]
    assert request.parent is not None
    assert format_span_id(request.parent.span_id) == CALLER[36:52]
    said = attributes(request)
    expected = {
        "http.request.method": "POST",
        "http.route": "/v1/models/{name}/score",
        "url.path": "/v1/models/toy/score",
        "url.scheme": "http",
        "http.response.status_code": 200,
        "user_agent.original": "me/1",
        "vaekit.request_id": "mine-7",
        "vaekit.model": "toy",
        "vaekit.version": "1",
        "vaekit.verb": "score",
        "vaekit.examples": 3,
        "vaekit.outcome": "ok",
    }
    assert {name: said.get(name) for name in expected} == expected
    assert request.status.status_code is StatusCode.UNSET
    children = {span.name: span for span in spans if span is not request}
    assert set(children) == {"vaekit.queue", "vaekit.batch"}
    for child in children.values():
        assert child.parent is not None
        assert child.parent.span_id == context(request).span_id
    queue, batch = children["vaekit.queue"], children["vaekit.batch"]
    assert queue.end_time == batch.start_time
    assert attributes(batch) == {
        "vaekit.verb": "score",
        "vaekit.batch.requests": 1,
        "vaekit.batch.samples": 12,
    }
    # The two clocks are read microseconds apart; a wrong unit or clock would be seconds.
    assert request.start_time is not None
    assert queue.start_time is not None
    assert abs(queue.start_time - request.start_time) < 5e9
    assert request.resource.attributes["service.name"] == "vaekit"


def test_the_line_of_a_request_names_its_trace_and_span(tmp_path: Path) -> None:
    lines = io.StringIO()
    request = the_request(spans_of(tmp_path, score(), lines=lines))
    (line,) = (
        said
        for said in map(json.loads, lines.getvalue().splitlines())
        if said["event"] == "request"
    )
    assert line["trace_id"] == format_trace_id(context(request).trace_id)
    assert line["span_id"] == format_span_id(context(request).span_id)


def test_every_request_of_a_batch_has_its_own_children(tmp_path: Path) -> None:
    spans = spans_of(tmp_path, score(), score(), {"method": "GET", "url": "/v2/health/ready"})
    requests = [span for span in spans if span.kind is SpanKind.SERVER]
    assert len(requests) == 2  # and none for the probe
    assert len({context(span).trace_id for span in requests}) == 2
    for request in requests:
        children = [s for s in spans if s.parent and s.parent.span_id == context(request).span_id]
        assert sorted(child.name for child in children) == ["vaekit.batch", "vaekit.queue"]


def test_neither_values_nor_queries_nor_keys_are_in_a_span(tmp_path: Path) -> None:
    x = [[12.3456, 77.125, 1.5, 2.5]]
    headers = {"authorization": "Bearer vk_secret", "x-api-key": "vk_secret"}
    url = "/v1/models/toy/score?label=12.3456"
    spans = spans_of(
        tmp_path,
        score(json={"x": x}, headers=headers, url=url),
        score(json={"x": [[1234.56] * 4]}, headers=headers),  # the error says a value
        score(url="/v1/models/vk_0123456789abcdefghij/score"),
    )
    whole = " ".join(span.to_json() for span in spans)
    assert "vaekit.examples" in whole
    for secret in ("12.34", "77.1", "1234.5", "vk_secret", "vk_0", "label"):
        assert secret not in whole


@pytest.mark.parametrize(
    ("request_", "name", "status", "is_error"),
    [
        (score(json={"x": [[1000] * 4]}), "POST /v1/models/{name}/score", 422, False),
        ({"method": "GET", "url": "/v1/secret/place"}, "GET", 404, False),
        ({"method": "BREW", "url": "/v2"}, "HTTP", 405, False),
        ({"method": "GET", "url": "/v1/models/toy/score"}, "GET", 405, False),
    ],
)
def test_whose_mistake_it_was(
    tmp_path: Path, request_: dict[str, Any], name: str, status: int, is_error: bool
) -> None:
    span = the_request(spans_of(tmp_path, request_))
    assert (span.name, attributes(span)["http.response.status_code"]) == (name, status)
    assert (span.status.status_code is StatusCode.ERROR) == is_error


def test_a_failure_of_ours_is_an_error_without_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise KeyError("a secret")

    monkeypatch.setattr("vaekit.serving.desk.question", broken)
    span = the_request(spans_of(tmp_path, score()))
    assert span.status.status_code is StatusCode.ERROR
    assert attributes(span)["error.type"] == "500"
    assert "secret" not in span.to_json()


def test_who_was_not_sampled_leaves_nothing(tmp_path: Path) -> None:
    assert spans_of(tmp_path, score(headers={"traceparent": NOT_SAMPLED})) == ()


def test_a_traceparent_that_is_none_begins_a_new_trace(tmp_path: Path) -> None:
    span = the_request(spans_of(tmp_path, score(headers={"traceparent": "00-zz"})))
    assert span.parent is None


def test_questions_that_nobody_traces_leave_nothing() -> None:
    exporter = InMemorySpanExporter()
    spans = Spans(exporter)
    spans.batch(BatchReport("score", 0, 0, 0.1, (), (), (), 1.0))
    spans.close()
    assert exporter.get_finished_spans() == ()
    assert isinstance(spans, Tracing)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v2/models/a.score/versions/3/infer", "/v2/models/{name}/versions/{version}/infer"),
        ("/v2/models/versions/infer", "/v2/models/{name}/infer"),
        ("/admin/models/a/aliases/live", "/admin/models/{name}/aliases/{alias}"),
        ("/look/a/gallery", "/look/{page}/gallery"),
        ("/look/pages/a/map", "/look/{page}/{name}/map"),
        ("/look/static/look.css", "/look/{page}/{file}"),
        ("/", "/"),
        ("/v1/models/a/nothing", None),
        ("/.env", None),
    ],
)
def test_routes_are_few_whatever_is_asked(path: str, expected: str | None) -> None:
    assert route(path) == expected


# -- on and off -----------------------------------------------------------------------------------

ON = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}


@pytest.mark.parametrize(
    ("asked", "environment", "is_on"),
    [
        (False, {}, False),
        (True, {}, True),
        (False, ON, True),
        (False, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9/v1/traces"}, True),
        (True, ON | {"OTEL_SDK_DISABLED": "true"}, False),
        (False, ON | {"OTEL_TRACES_EXPORTER": "none"}, False),
        (False, ON | {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, False),
        (False, ON | {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, True),
    ],
)
def test_when_traces_are_sent(
    monkeypatch: pytest.MonkeyPatch, asked: bool, environment: dict[str, str], is_on: bool
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    tracing = tracing_of(asked, Log(io.StringIO().write))
    assert (tracing is not None) == is_on
    if tracing is not None:
        tracing.close()


def test_what_stands_in_the_way_is_an_error_only_where_somebody_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    written = io.StringIO()
    with monkeypatch.context() as patched:
        patched.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
        with pytest.raises(SpecError, match="http/protobuf"):
            tracing_of(True, Log(written.write))
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk", None)
    with pytest.raises(MissingExtraError, match=r"vaekit\[tracing\]"):
        tracing_of(True, Log(written.write))
    assert written.getvalue() == ""
    assert tracing_of(False, Log(written.write)) is None
    line = json.loads(written.getvalue())
    assert (line["level"], "vaekit[tracing]" in line["why"]) == ("warning", True)


# -- a process of its own -------------------------------------------------------------------------


@contextmanager
def collector() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """What a collector of OTLP over HTTP is, at the least; its address, and what it got."""
    got: list[ExportTraceServiceRequest] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            assert self.path == "/v1/traces"
            got.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_process_sends_its_last_spans_before_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    with collector() as (address, got):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
        monkeypatch.setenv("OTEL_SERVICE_NAME", "digits")
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "60000")  # so that only the end sends them
        with serving(str(ARTIFACT), "--grace", "0") as (process, port, _):
            wait_until_ready(port)
            name = ask(port, "/v1/models")[1][0]["name"]
            assert ask(port, f"/v1/models/{name}/score", {"x": X.tolist()})[0] == 200
            assert got == []
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
    (resource,) = {
        attribute.value.string_value
        for request in got
        for spans in request.resource_spans
        for attribute in spans.resource.attributes
        if attribute.key == "service.name"
    }
    assert resource == "digits"
    names = [
        span.name
        for request in got
        for of_resource in request.resource_spans
        for of_scope in of_resource.scope_spans
        for span in of_scope.spans
    ]
    assert sorted(names) == [
        "GET /v1/models",
        "POST /v1/models/{name}/score",
        "vaekit.batch",
        "vaekit.queue",
    ]


def test_a_collector_that_is_not_there_holds_nothing_up_and_is_said_in_the_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "60000")
    command = [sys.executable, "-m", "vaekit", "serve", str(ARTIFACT), "--port", "0", "--tracing"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        lines, port = [], 0
        for line in process.stderr:
            lines.append(line)
            found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
            port = int(found[1]) if found else port
            if '"loaded"' in line:
                break
        wait_until_ready(port)
        name = ask(port, "/v1/models")[1][0]["name"]
        assert ask(port, f"/v1/models/{name}/score", {"x": X.tolist()})[0] == 200
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        lines += process.stderr.read().splitlines()
        assert process.wait(30) == 0
        assert time.monotonic() - began < 15  # five of which are the limit
    finally:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()
    events = [json.loads(line) for line in lines]  # every line is one of the log
    assert any(event["event"] == "traces" for event in events)


def test_nothing_of_it_is_imported_where_nobody_asks() -> None:
    # The API is: FastAPI imports it by itself. What costs and sends is the SDK.
    program = (
        "import sys; from vaekit.serving import Service, Settings;"
        f"Service(Settings(path={str(ARTIFACT)!r}));"
        "print([n for n in sys.modules if n.startswith(('opentelemetry.sdk', 'opentelemetry.exp')) "
        "or n == 'vaekit.serving.spans'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
