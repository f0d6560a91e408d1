"""Processes: one that serves, or one that keeps several of them, and their end.

On SIGTERM a process is not ready any more, but answers for a moment, each connection for the
last time; then it stops listening, answers what it has, and ends.
"""

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import get_context, parent_process
from multiprocessing.context import SpawnProcess
from types import FrameType
from typing import TYPE_CHECKING, Final, final

import uvicorn

from vaekit.errors import ArtifactError
from vaekit.serving.connection import Connection
from vaekit.serving.door import listening, shut
from vaekit.serving.log import Log, to_standard_error
from vaekit.serving.settings import Settings

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

    from vaekit.serving.desk import Desk

MULTIPROCESS_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The same word as in `metrics`, which must not be imported before it is set."""
RESTART_SECONDS: Final = 1.0
ENTER_SECONDS: Final = 0.1
"""For clients that have begun to come in when the door is shut."""


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
        work(settings, door, lambda: False)
    else:
        _Workers(settings, door).run()


def work(settings: Settings, door: socket.socket, others_go_on: Callable[[], bool]) -> None:
    """One process of a service.

    Args:
        settings: What was chosen.
        door: Where clients come in.
        others_go_on: Whether others stay behind the door when this one is told to end.
    """
    from vaekit.serving.assembly import Service

    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)  # the service's own log says it all
    service = Service(settings)
    config = uvicorn.Config(
        service,
        http=Connection,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=max(1, round(settings.drain_seconds)),
    )
    server = _Server(config, service.desk, settings.grace_seconds, others_go_on)
    host, port = door.getsockname()[:2]
    service.log.write("info", "starting", address=f"http://{host}:{port}", process=os.getpid())
    try:
        server.run([door])
    except SystemExit:  # the log has said why
        sys.exit(ArtifactError.exit_code)
    service.log.write("info", "ended", process=os.getpid())


def _work_with_others(settings: Settings, door: socket.socket, is_over: "Event") -> None:
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    work(settings, door, lambda: not is_over.is_set())


def _end_with_parent() -> None:
    """A parent that was killed cannot say that it is over; its processes would keep the port."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


@final
class _Server(uvicorn.Server):
    """uvicorn, with a moment between the signal and the end."""

    def __init__(
        self,
        config: uvicorn.Config,
        desk: "Desk",
        grace: float,
        others_go_on: Callable[[], bool],
    ) -> None:
        super().__init__(config)
        self._desk, self._grace, self._leave_at = desk, grace, 0.0
        self._others_go_on = others_go_on

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

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if not self._others_go_on():
            for door in sockets or []:
                shut(door)
            for _ in range(10):  # after one long wait, the loop may not have looked at the door
                await asyncio.sleep(ENTER_SECONDS / 10)
        await super().shutdown(sockets)


@final
class _Workers:
    """Keeps several processes, each of which follows the folder of models by itself."""

    def __init__(self, settings: Settings, door: socket.socket) -> None:
        self._settings, self._door = settings, door
        self._is_ending = self._failed = False
        self._is_over = get_context("spawn").Event()
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
            self._is_over.set()
            self._door.close()  # or it would stay open with nobody behind it
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
        arguments = self._settings, self._door, self._is_over
        process = get_context("spawn").Process(target=_work_with_others, args=arguments)
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
