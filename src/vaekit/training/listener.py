"""Who is told about a run while it goes on."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import final

Record = dict[str, float | int | str]


@dataclass(frozen=True)
class Plan:
    """What a run is about to do."""

    total_steps: int
    first_step: int
    steps_per_epoch: int
    batch_size: int
    warnings: tuple[str, ...] = ()


class Listener:
    """Told what happens; does nothing. Trackers, logs and progress bars override what they need.

    In order: `started`; at every step `logged` (where there is something), `stepped` and
    `saving` (where it is time); `finished`.
    """

    may_fail: bool = False
    """Whether the run goes on, with a warning, when this listener raises an exception."""

    def started(self, plan: Plan) -> None:
        """The run begins, or goes on from `plan.first_step`."""

    def stepped(self, step: int, reported: Record) -> None:
        """`step` updates have been made; `reported` is the newest log record, possibly old."""

    def logged(self, record: Record) -> None:
        """A line of the log: averages over some steps, or a validation.

        At a validation the model has the weights that were validated.
        """

    def saving(self, step: int) -> None:
        """A checkpoint comes: what was told up to here will not be told again."""

    def finished(self) -> None:
        """The run is over, whole or not. Told to everyone who was told that it started."""


@final
class Audience:
    """The listeners of a run, told one after another.

    Args:
        listeners: In the order in which they are told; at the end, the last one first.
    """

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._listeners = list(listeners)

    @contextmanager
    def told(self, plan: Plan) -> Iterator[None]:
        """A run according to `plan`."""
        with ExitStack() as stack:
            for listener in tuple(self._listeners):
                stack.callback(self._tell, listener, lambda listener: listener.finished())
                self._tell(listener, lambda listener: listener.started(plan))
            yield

    def tell(self, message: Callable[[Listener], None]) -> None:
        """Calls everybody who is still listening."""
        for listener in tuple(self._listeners):
            self._tell(listener, message)

    def _tell(self, listener: Listener, message: Callable[[Listener], None]) -> None:
        if listener not in self._listeners:
            return
        try:
            message(listener)
        except Exception as error:
            if not listener.may_fail:
                raise
            self._listeners.remove(listener)
            warnings.warn(
                f"{type(listener).__name__} failed and is left out; training goes on. "
                f"{type(error).__name__}: {error}",
                RuntimeWarning,
                stacklevel=2,
            )
