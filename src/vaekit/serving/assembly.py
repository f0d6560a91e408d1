"""A service out of its settings, and its life: what is served is there before the first request."""

import asyncio
import math
from pathlib import Path
from typing import Final, final

from vaekit.errors import ArtifactError, SpecError
from vaekit.runtime import Runtime
from vaekit.serving.admin import Admin
from vaekit.serving.body import Receive
from vaekit.serving.desk import Desk
from vaekit.serving.engine import BatchReport, Engine
from vaekit.serving.exchange import Scope, Send
from vaekit.serving.follower import Follower
from vaekit.serving.keys import VARIABLE, Key, Keyring, configured_keys
from vaekit.serving.log import Log, to_standard_error
from vaekit.serving.look import Traffic
from vaekit.serving.metrics import Metrics
from vaekit.serving.models import Models
from vaekit.serving.opening import Opener, opener
from vaekit.serving.rate import RateLimits
from vaekit.serving.records import Recorder
from vaekit.serving.service import http_app
from vaekit.serving.settings import Settings
from vaekit.serving.sources import ModelFolder, OneArtifact, Source, is_model_folder
from vaekit.serving.tracing import Tracing, tracing_of

LOOK_SECONDS: Final = 1.0


@final
class Service:
    """One process of a service, as an ASGI application.

    Args:
        settings: What was chosen.
        open_version: Opens an artifact; by default with the runtime for its graphs.
        log: Where lines go.
        tracing: What makes spans; by default as the settings and the environment say.
    """

    def __init__(
        self,
        settings: Settings,
        open_version: Opener | None = None,
        log: Log | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self._settings, self.log = settings, log or Log(to_standard_error)
        self._tracing = tracing or tracing_of(settings.tracing, self.log)
        models = Models()
        self.metrics = Metrics(models)
        self._recorder = _recorder(settings, self.metrics)
        self.desk = Desk(
            models,
            settings.request,
            settings.timeout_seconds,
            (self._recorder.witness,) if self._recorder else (),
            with_codes=self._recorder is not None,
            origin=self._tracing.origin if self._tracing else None,
        )
        self.follower = Follower(
            source(settings),
            models,
            open_version or opener(settings.public_key, settings.variant, settings.threads),
            self._engine,
            self.log,
        )
        self._keyring = Keyring(admitted(settings))
        http = http_app(
            self.desk,
            settings.body,
            self._keyring,
            RateLimits(settings.workers, per_second=settings.per_second),
            self.log,
            self.metrics,
            Admin(self.follower).router,
            Traffic(self.metrics),
        )
        self._http = self._tracing.around(http) if self._tracing else http
        self._tasks: list[asyncio.Task[None]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    async def start(self) -> None:
        """Opens what is to be served.

        Raises:
            ArtifactError: It is one artifact, and cannot be served.
        """
        await self.follower.follow()
        if isinstance(self.follower.source, OneArtifact) and not self.desk.models.picture:
            raise ArtifactError("\n".join(self.follower.problems.values()))
        self.metrics.look(len(self.follower.problems))
        self._tasks = [
            asyncio.create_task(self.follower.keep_following(self._settings.poll_seconds)),
            asyncio.create_task(self._keep_looking(LOOK_SECONDS)),
        ]

    async def stop(self) -> None:
        """Ends when every question that was taken has its answer."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.desk.is_draining = True
        await self.follower.close()
        if self._recorder is not None:
            await asyncio.to_thread(self._recorder.close)
        if self._tracing is not None:
            await asyncio.to_thread(self._tracing.close)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self.start()
        except ArtifactError as error:
            self.log.write("error", "not started", why=str(error))
            await send({"type": "lifespan.startup.failed", "message": error.problem})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.stop()
        await send({"type": "lifespan.shutdown.complete"})

    def _engine(self, name: str, version: str, runtime: Runtime) -> Engine:
        counted = self.metrics.batches(name, version, math.prod(runtime.schema.event_shape))
        tracing = self._tracing
        if tracing is None:
            return Engine(runtime, self._settings.queue, counted)

        def counted_and_traced(report: BatchReport) -> None:
            counted(report)
            tracing.batch(report)

        return Engine(runtime, self._settings.queue, counted_and_traced)

    async def _keep_looking(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await self._look()
            except Exception as error:  # whatever it is, the next look may do better
                self.log.failure(error, where="the look at metrics and keys")

    async def _look(self) -> None:
        self.metrics.look(len(self.follower.problems))
        self._reread_keys()

    def _reread_keys(self) -> None:
        """Takes over a changed file of keys; one that cannot be read changes nothing."""
        if self._keyring.keys is None or self._settings.keys is None:
            return
        try:
            self._keyring.keys = configured_keys(self._settings.keys)
        except SpecError as error:
            self.log.write("error", "keys", why=str(error))


def source(settings: Settings) -> Source:
    """Where models come from.

    Raises:
        ArtifactError: There is neither an artifact nor a folder of models.
    """
    path = Path(settings.path).expanduser()
    return ModelFolder(path) if is_model_folder(path) else OneArtifact(path, settings.name)


def admitted(settings: Settings) -> tuple[Key, ...] | None:
    """Who may ask; None where everybody may.

    Raises:
        SpecError: Others could reach the service, and nobody said who may.
    """
    if settings.no_auth:
        return None
    keys = configured_keys(settings.keys)
    if keys or settings.keys is not None:
        return keys
    if settings.is_local:
        return None
    raise SpecError(
        "Everybody who reaches this address could use the service.",
        where=f"--host {settings.host}",
        expected=f"keys, by --keys FILE or ${VARIABLE}",
        found="none",
        remedy="vaekit keys new NAME --file keys.txt, or --no-auth where something else keeps "
        "strangers out",
    )


def _recorder(settings: Settings, metrics: Metrics) -> Recorder | None:
    if settings.records is None:
        return None
    return Recorder(settings.records, lambda what, n: metrics.records.labels(what).inc(n))
