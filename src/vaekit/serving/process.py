"""Processes: one that serves, or one that keeps several of them, and their end.

On SIGTERM a process is not ready any more, but answers for a moment, each connection for the
last time; then it stops listening, answers what it has, and ends.
"""

import contextlib
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.context import SpawnProcess
from types import FrameType
from typing import TYPE_CHECKING, Final, final

import uvicorn

from vaekit.errors import ArtifactError, SpecError
from vaekit.serving.log import Log, to_standard_error
from vaekit.serving.settings import Settings

if TYPE_CHECKING:
    from vaekit.serving.desk import Desk

MULTIPROCESS_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The same word as in `metrics`, which must not be imported before it is set."""
RESTART_SECONDS: Final = 1.0


def serve(settings: Settings) -> None:
    """Serves until it is told to end.

    Args:
        settings: What was chosen.

    Raises:
        VaekitError: It cannot begin.
    """
    from vaekit.serving.assembly import admitted, source
    from vaekit.serving.tracing import check_possible

    for what_can_be_wrong in (admitted, source):  # it is said here, once, and not by workers
        what_can_be_wrong(settings)
    if settings.tracing:
        check_possible()
    door = listening(settings)
    if settings.workers == 1:
        work(settings, door)
    else:
        _Workers(settings, door).run()


def listening(settings: Settings) -> socket.socket:
    """The socket that all processes share.

    Raises:
        SpecError: The address cannot be had.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # With its protocol named, asyncio sends without Nagle's delay of forty milliseconds.
    door = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((settings.host, settings.port))
        door.listen(2048)
    except OSError as error:
        door.close()
        raise SpecError(
            "This address cannot be listened on.",
            where=f"--host {settings.host} --port {settings.port}",
            found=error.strerror or error,
            remedy="choose another port, or end what listens there",
        ) from error
    door.set_inheritable(True)
    return door


def work(settings: Settings, door: socket.socket) -> None:
    """One process of a service."""
    from vaekit.serving.assembly import Service

    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)  # the service's own log says it all
    service = Service(settings)
    config = uvicorn.Config(
        service,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=max(1, round(settings.drain_seconds)),
    )
    server = _Server(config, service.desk, settings.grace_seconds)
    host, port = door.getsockname()[:2]
    service.log.write("info", "starting", address=f"http://{host}:{port}", process=os.getpid())
    try:
        server.run([door])
    except SystemExit:  # the log has said why
        sys.exit(ArtifactError.exit_code)
    service.log.write("info", "ended", process=os.getpid())


@final
class _Server(uvicorn.Server):
    """uvicorn, with a moment between the signal and the end."""

    def __init__(self, config: uvicorn.Config, desk: "Desk", grace: float) -> None:
        super().__init__(config)
        self._desk, self._grace, self._leave_at = desk, grace, 0.0

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._leave_at:  # the second time: at once
            self.should_exit = True
            return
        self._desk.is_leaving = True
        self._leave_at = time.monotonic() + (self._grace if sig == signal.SIGTERM else 0.0)

    async def on_tick(self, counter: int) -> bool:
        if self._leave_at and time.monotonic() >= self._leave_at:
            self.should_exit = True
        return await super().on_tick(counter)


@final
class _Workers:
    """Keeps several processes, each of which follows the folder of models by itself."""

    def __init__(self, settings: Settings, door: socket.socket) -> None:
        self._settings, self._door = settings, door
        self._is_ending = self._failed = False
        self._log = Log(to_standard_error)

    def run(self) -> None:
        """Starts them, starts again what ends by itself, and ends with them."""
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._end)
        with _metrics_folder():
            processes = [self._started() for _ in range(self._settings.workers)]
            while not self._is_ending:
                time.sleep(0.1)
                processes = [p if p.is_alive() else self._replaced(p) for p in processes]
            for process in processes:
                process.terminate()
            until = time.monotonic() + self._settings.grace_seconds + self._settings.drain_seconds
            for process in processes:
                process.join(max(0.0, until + 5 - time.monotonic()))
                process.kill()
        if self._failed:
            sys.exit(ArtifactError.exit_code)

    def _end(self, _signal: int, _frame: FrameType | None) -> None:
        self._is_ending = True

    def _started(self) -> SpawnProcess:
        process = get_context("spawn").Process(target=work, args=(self._settings, self._door))
        process.start()
        return process

    def _replaced(self, process: SpawnProcess) -> SpawnProcess:
        from prometheus_client.multiprocess import mark_process_dead

        if self._is_ending:
            return process
        if process.exitcode == ArtifactError.exit_code:  # it would fail the same way again
            self._is_ending = self._failed = True
            return process
        self._log.write("error", "worker ended", process=process.pid, code=process.exitcode)
        mark_process_dead(process.pid or 0)
        time.sleep(RESTART_SECONDS)
        return self._started()


@contextlib.contextmanager
def _metrics_folder() -> Iterator[None]:
    """Where processes leave their counts, so that each can add up all of them."""
    if MULTIPROCESS_VARIABLE in os.environ:
        yield
        return
    folder = tempfile.mkdtemp(prefix="vaekit-metrics-")
    os.environ[MULTIPROCESS_VARIABLE] = folder
    try:
        yield
    finally:
        del os.environ[MULTIPROCESS_VARIABLE]
        shutil.rmtree(folder, ignore_errors=True)
