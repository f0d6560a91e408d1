"""What a person chooses for a service; as text, it reaches every worker."""

from pathlib import Path
from typing import Final, final

from pydantic import Field

from vaekit.serving.body import BodyLimits
from vaekit.serving.engine import QueueLimits
from vaekit.serving.question import RequestLimits
from vaekit.serving.segments import RecordSettings
from vaekit.spec import Spec

LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


@final
class Settings(Spec):
    """All choices of a service."""

    path: Path = Field(description="An artifact, a run, or a folder of models.")
    name: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$",
        description="What a single artifact is called here.",
    )  # fmt: skip
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on.")
    workers: int = Field(default=1, ge=1, le=256, description="Processes.")
    public_key: Path | None = Field(default=None, description="Who must have signed artifacts.")
    variant: str = Field(default="fp32", description="Which graph of an artifact runs.")
    threads: int = Field(default=1, ge=1, description="Threads for one operation of a model.")
    poll_seconds: float = Field(default=1.0, gt=0, description="Between looks at the folder.")
    grace_seconds: float = Field(
        default=0.5, ge=0, description="After SIGTERM, still answering, but not ready any more."
    )
    drain_seconds: float = Field(
        default=30.0, gt=0, description="After that, until what is unanswered is given up."
    )
    timeout_seconds: float = Field(default=30.0, gt=0, description="Deadline of a request.")
    keys: Path | None = Field(default=None, description="File of API keys.")
    per_second: float | None = Field(
        default=None, gt=0,
        description="Requests of a key without a rate of its own; without keys, of an address.",
    )  # fmt: skip
    no_auth: bool = Field(default=False, description="Let everybody in, whatever the address.")
    records: RecordSettings | None = Field(default=None, description="What is recorded, if at all.")
    tracing: bool = Field(
        default=False, description="Send traces, whether the environment asks for them or not."
    )
    body: BodyLimits = BodyLimits()
    request: RequestLimits = RequestLimits()
    queue: QueueLimits = QueueLimits()

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host in LOOPBACK
