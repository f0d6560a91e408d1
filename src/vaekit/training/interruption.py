"""Stopping a run from outside without losing it."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import final

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@final
class StopRequest:
    """Whether somebody asked the run to stop."""

    def __init__(self) -> None:
        self.requested = False


@contextmanager
def stoppable() -> Iterator[StopRequest]:
    """Turns the first SIGINT or SIGTERM into a request; a second one acts at once.

    A signal that is ignored stays ignored (nohup, jobs in the background). Outside the main
    thread Python allows no handlers, and signals act as they always do.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    # A handler that was not installed from Python is None, and could not be put back.
    previous = {
        number: handler
        for number in SIGNALS
        if (handler := signal.getsignal(number)) not in (None, signal.SIG_IGN)
    }

    def restore() -> None:
        for number, handler in previous.items():
            signal.signal(number, handler)

    def ask(*_: object) -> None:
        request.requested = True
        restore()

    for number in previous:
        signal.signal(number, ask)
    try:
        yield request
    finally:
        restore()
