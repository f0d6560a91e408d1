"""Whether traces are sent: as OpenTelemetry's own environment says, or as `--tracing` does.

    OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT   on, and where to
    OTEL_SDK_DISABLED=true, OTEL_TRACES_EXPORTER=none                 off, whatever else is said

Service name, headers, sampling and the sizes of batches are read by OpenTelemetry itself. Where
nobody asks for traces, its SDK is not imported, and no request passes anything of it.
"""

import logging
import os
from typing import Final, Protocol, runtime_checkable

from vaekit.errors import MissingExtraError, SpecError, VaekitError
from vaekit.serving.engine import BatchReport
from vaekit.serving.exchange import App
from vaekit.serving.log import Log

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
SPOKEN: Final = "http/protobuf"


@runtime_checkable
class Tracing(Protocol):
    """Makes spans of what the service does."""

    def around(self, inner: App) -> App:
        """The same application, with a span for each request."""
        ...

    def origin(self) -> object:
        """Where a question comes from: the span of the request that is being answered."""
        ...

    def batch(self, report: BatchReport) -> None:
        """Spans of what the questions of a batch waited for; in the thread of their engine."""
        ...

    def close(self) -> None:
        """Sends what is there, if that can be done in time."""
        ...


def tracing_of(asked: bool, log: Log) -> Tracing | None:
    """Sends traces, where somebody wants that.

    Args:
        asked: By `--tracing`. Where only the environment asks, what stands in the way is logged,
            and the service begins without traces.
        log: Is told of what OpenTelemetry complains about.

    Raises:
        MissingExtraError: The extra 'tracing' is not installed.
        SpecError: Collectors are to be spoken to in a way that is not spoken here.
    """
    if is_switched_off() or not (asked or any(map(os.environ.get, ENDPOINTS))):
        return None
    try:
        check_possible()
    except VaekitError as error:
        if asked:
            raise
        log.write("warning", "no traces", why=str(error))
        return None
    complaints = logging.getLogger("opentelemetry")
    complaints.handlers, complaints.propagate = [_ToLog(log)], False
    return _sent_by_otlp()


def is_switched_off() -> bool:
    """Whether the environment wants no traces at all."""
    disabled = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    return disabled or os.environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none"


def check_possible() -> None:
    """Complains where traces cannot be sent.

    Raises:
        MissingExtraError: The extra 'tracing' is not installed.
        SpecError: Collectors are to be spoken to in a way that is not spoken here.
    """
    said = next(((name, os.environ[name]) for name in PROTOCOLS if os.environ.get(name)), None)
    if said is not None and said[1] != SPOKEN:
        raise SpecError(
            "Traces are sent in another protocol than this.",
            where=f"${said[0]}",
            expected=SPOKEN,
            found=said[1],
            remedy="name the collector's port for OTLP over HTTP, mostly 4318",
        )
    try:
        import opentelemetry.exporter.otlp.proto.http
        import opentelemetry.sdk  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("tracing", "Sending traces") from error


def _sent_by_otlp() -> Tracing:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    from vaekit.serving.spans import Spans

    return Spans(OTLPSpanExporter())


class _ToLog(logging.Handler):
    """What OpenTelemetry complains about, as lines of the service's own log."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.write("warning", "traces", why=record.getMessage()[:300])
