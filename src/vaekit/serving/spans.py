"""Spans of OpenTelemetry: one for each request, and below it its wait and its batch.

    POST /v1/models/{name}/score     the request, below the span of whoever sent `traceparent`
        vaekit.queue                 from the question to the beginning of its batch
        vaekit.batch                 one call of the runtime, which may answer others as well

What was asked is named (model, version, verb, number of examples), and never its values: neither
bodies nor queries, and no key.

Reference:
    OpenTelemetry, Semantic conventions for HTTP spans 1.23 and later (stable),
    https://opentelemetry.io/docs/specs/semconv/http/http-spans/
"""

import os
import threading
import time
from collections.abc import Mapping, MutableMapping
from importlib.metadata import version
from typing import Any, Final, final

from opentelemetry.context import Context
from opentelemetry.propagate import extract
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import (
    Span,
    SpanKind,
    StatusCode,
    format_span_id,
    format_trace_id,
    get_current_span,
    set_span_in_context,
    use_span,
)

from vaekit.serving.body import Receive
from vaekit.serving.engine import BatchReport
from vaekit.serving.envelope import QUIET
from vaekit.serving.exchange import KEY_IN_SCOPE, SPAN_IN_SCOPE, App, Exchange, Scope, Send
from vaekit.serving.keys import without_keys
from vaekit.serving.question import VERBS

LONGEST_PATH: Final = 200
FLUSH_SECONDS: Final = 5.0
"""A collector that does not answer holds the end of the process up for so long."""
_METHODS: Final = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"}
_NAMED_AFTER: Final = {
    "models": "{name}",
    "versions": "{version}",
    "aliases": "{alias}",
    "look": "{page}",
    "pages": "{name}",
    "static": "{file}",
}
"""What follows these in a path was chosen by somebody."""
_WORDS: Final = {
    *_NAMED_AFTER, *VERBS, "v1", "v2", "infer", "ready", "repository", "index", "admin",
    "rollback", "docs", "openapi.json", "gallery", "explore", "draw", "samples", "map", "judge",
}  # fmt: skip


@final
class Spans:
    """Makes spans, and sends them in batches.

    Args:
        exporter: Where they go.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("vaekit", version("vaekit"))

    def around(self, inner: App) -> App:
        """The same application, with a span for each request that is not a probe's."""

        async def traced(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["path"] in QUIET:
                await inner(scope, receive, send)
            else:
                await self._request(inner, scope, receive, send)

        return traced

    def origin(self) -> object:
        """The span of the request that is being answered; None where it is not recorded."""
        span = get_current_span()
        return span if span.is_recording() else None

    def batch(self, report: BatchReport) -> None:
        """Spans of the questions of a batch, from when they were asked."""
        to_epoch = time.time_ns() - time.monotonic_ns()
        started = to_epoch + round(report.started * 1e9)
        ended = started + round(report.seconds * 1e9)
        facts = {
            "vaekit.verb": report.verb,
            "vaekit.batch.requests": report.requests,
            "vaekit.batch.samples": report.samples,
        }
        for asked, wait in zip(report.questions, report.waits, strict=True):
            if isinstance(asked.origin, Span):
                parent = set_span_in_context(asked.origin)
                self._child("vaekit.queue", parent, (started - round(wait * 1e9), started), {})
                self._child("vaekit.batch", parent, (started, ended), facts)

    def close(self) -> None:
        """Sends what is there, if that can be done in time."""
        # In a thread that nobody waits for at the end of the process.
        thread = threading.Thread(target=self._provider.shutdown, name="last spans", daemon=True)
        thread.start()
        thread.join(FLUSH_SECONDS)

    def _child(
        self, name: str, parent: Context, times: tuple[int, int], facts: Mapping[str, Any]
    ) -> None:
        span = self._tracer.start_span(name, parent, attributes=facts, start_time=times[0])
        span.end(times[1])

    async def _request(self, inner: App, scope: Scope, receive: Receive, send: Send) -> None:
        status = 0

        async def noting(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        headers = {name.decode("latin-1"): v.decode("latin-1") for name, v in scope["headers"]}
        span = self._tracer.start_span(
            _method(scope) or "HTTP",
            extract(headers),
            SpanKind.SERVER,
            _asked(scope, headers),
        )
        named = span.get_span_context()
        scope[SPAN_IN_SCOPE] = format_trace_id(named.trace_id), format_span_id(named.span_id)
        # What an error says may hold values: it is not recorded.
        with use_span(span, True, record_exception=False, set_status_on_exception=False):
            try:
                await inner(scope, receive, noting)
            finally:
                _describe(span, scope, status)


def route(path: str) -> str | None:
    """The path without what somebody chose in it; None where it is none of the service's.

    Example:
        >>> route("/v2/models/mnist.score/versions/2/infer")
        '/v2/models/{name}/versions/{version}/infer'
    """
    parts: list[str] = []
    before = ""
    for part in path.split("/")[1:]:
        chosen = _NAMED_AFTER.get(before)
        if chosen is None and part and part not in _WORDS:
            return None
        parts.append(chosen or part)
        before = part if chosen is None or part in ("pages", "static") else ""
    return "/" + "/".join(parts)


def _resource() -> Resource:
    named = Resource.create({"service.version": version("vaekit"), "process.pid": os.getpid()})
    if str(named.attributes[SERVICE_NAME]).startswith("unknown_service"):
        return named.merge(Resource({SERVICE_NAME: "vaekit"}))
    return named


def _method(scope: Scope) -> str | None:
    return scope["method"] if scope["method"] in _METHODS else None


def _asked(scope: Scope, headers: Mapping[str, str]) -> dict[str, Any]:
    """What is known when a request begins."""
    known = {
        "http.request.method": _method(scope) or "_OTHER",
        "url.path": without_keys(scope["path"][:LONGEST_PATH]),
        "url.scheme": scope.get("scheme", "http"),
        "network.protocol.version": scope.get("http_version"),
        "user_agent.original": headers.get("user-agent"),
    }
    for side in ("server", "client"):
        address, port = scope.get(side) or (None, None)
        known |= {f"{side}.address": address, f"{side}.port": port}
    return {name: value for name, value in known.items() if value is not None}


def _describe(span: Span, scope: Scope, status: int) -> None:
    """What is known when it has ended."""
    exchange: Exchange | None = scope.get(KEY_IN_SCOPE)
    if exchange is None or not span.is_recording():
        return
    found = None if status in (404, 405) else route(scope["path"])
    facts = {
        "http.response.status_code": status or None,
        "http.route": found,
        "vaekit.request_id": exchange.id,
        "vaekit.model": exchange.model,
        "vaekit.version": exchange.version,
        "vaekit.verb": exchange.verb,
        "vaekit.examples": exchange.examples or None,
        "vaekit.outcome": exchange.outcome,
    }
    span.set_attributes({name: value for name, value in facts.items() if value is not None})
    if found is not None:
        span.update_name(f"{_method(scope) or 'HTTP'} {found}")
    if status >= 500 or exchange.outcome == "failure":
        span.set_status(StatusCode.ERROR)
        span.set_attribute("error.type", str(status) if status >= 500 else exchange.outcome)
