"""Long work in several processes, which end with the one that started them."""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice
from multiprocessing import active_children, get_context, parent_process
from typing import Final, TypeVar

import torch

from vaekit.errors import Interrupted
from vaekit.training import stoppable

Item = TypeVar("Item")
Result = TypeVar("Result")
LOOK_SECONDS: Final = 0.2
"""Between two looks at whether somebody asked to stop."""


def in_processes(
    work: Callable[[Item], Result], items: Iterable[Item], jobs: int
) -> Iterator[tuple[Item, Result]]:
    """Does work on items, `jobs` at a time, each on one thread; yields each when it is done.

    No process has work waiting: when it is told to stop, it saves what it is at, and ends.

    Args:
        work: Can be pickled; saves its state when it gets SIGTERM.
        items: In the order in which they are begun.
        jobs: Processes at a time; one works in this process.

    Raises:
        Interrupted: SIGINT or SIGTERM arrived.
    """
    if jobs == 1:
        yield from ((item, work(item)) for item in items)
        return
    left, running = iter(items), dict[Future[Result], Item]()
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), _begin)
    with pool, stoppable() as stop:
        try:
            while True:
                for item in islice(left, jobs - len(running)):
                    running[pool.submit(work, item)] = item
                if not running:
                    return
                done, _ = wait(running, LOOK_SECONDS, FIRST_COMPLETED)
                if stop.requested:
                    raise Interrupted(
                        "Stopped; what every process was at is saved.",
                        remedy="the same command goes on",
                    )
                for future in done:
                    yield running.pop(future), future.result()
        finally:
            for process in active_children() if running else ():
                process.terminate()


def _begin() -> None:
    """Prepares a process: a signal from the keyboard is for its parent, which passes it on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Nobody waits for the work of a parent that was killed; files are written whole or not."""
    parent = parent_process()
    assert parent is not None  # noqa: S101  # a pool's process has one
    parent.join()
    os._exit(1)
