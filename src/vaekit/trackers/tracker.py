"""What all trackers do: tell the course of a run to somebody else, and never stop it."""

import sys
import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from vaekit.errors import Interrupted
from vaekit.spec import Spec
from vaekit.trackers.snapshot import Camera, Snapshot
from vaekit.trackers.subject import Subject
from vaekit.training import Listener, Plan, Record

Numbers = dict[str, float]


class Tracker(Listener, ABC):
    """Sends numbers with every line of the log, and a snapshot with every validation.

    The x axis is the number of examples seen. Where it fails, it is left out of the run with
    a warning, and training goes on.

    Args:
        subject: The run.
        images: How many reconstructions and samples are shown.
        examples: How many examples are encoded.
    """

    may_fail = True

    def __init__(self, subject: Subject, images: int, examples: int = 0) -> None:
        self.subject = subject
        self._camera = Camera(subject, images, examples)
        self._newest: tuple[int, Snapshot] | None = None
        self._outer: BaseException | None = None
        self._total_steps = self._step = self._batch_size = 0

    # -- what a tracker is -------------------------------------------------------------------

    @abstractmethod
    def open(self, examples_seen: int) -> None:
        """Begins, or goes on behind what was told up to `examples_seen`."""

    @abstractmethod
    def numbers(self, examples_seen: int, values: Numbers) -> None:
        """Tells numbers by name, such as "validation/elbo_nats"."""

    @abstractmethod
    def show(self, examples_seen: int, snapshot: Snapshot) -> None:
        """Tells what the model looks like."""

    @abstractmethod
    def close(self, examples_seen: int, snapshot: Snapshot | None, end: str) -> None:
        """Ends; the newest snapshot comes along. `end` is FINISHED, KILLED or FAILED."""

    # -- the course of a run -----------------------------------------------------------------

    def started(self, plan: Plan) -> None:
        self._outer = sys.exception()
        self._total_steps, self._step = plan.total_steps, plan.first_step
        self._batch_size = plan.batch_size
        self.open(self._step * self._batch_size)

    def stepped(self, step: int, reported: Record) -> None:
        self._step = step

    def logged(self, record: Record) -> None:
        seen = int(record["examples_seen"])
        self.numbers(seen, _numbers(str(record["kind"]), record))
        if record["kind"] == "validation":
            self._look(seen)

    def finished(self) -> None:
        error = sys.exception()
        error = None if error is self._outer else error
        if self._newest is None and error is None and self._step == self._total_steps:
            self._look(self._step * self._batch_size)  # there was no validation
        seen, snapshot = self._newest or (self._step * self._batch_size, None)
        self.close(seen, snapshot, _end(error))

    def measured(self, examples_seen: int, results: Mapping[str, Any]) -> None:
        """Tells what the trained model was measured at, after the run is over."""
        self.open(examples_seen)
        self.numbers(examples_seen, _numbers("results", results))
        self.close(examples_seen, None, "FINISHED")

    def _look(self, examples_seen: int) -> None:
        self._newest = examples_seen, self._camera.snapshot()
        self.show(*self._newest)


class TrackerChoices(Spec, ABC):
    """What the specs of trackers have in common."""

    images: int = Field(default=16, ge=0, description="Reconstructions and samples to show.")

    @abstractmethod
    def build(self, subject: Subject) -> Tracker:
        """The tracker of a run; nothing has been written yet.

        Raises:
            MissingExtraError: Its package is not installed.
        """


def tell_results(
    chosen: Sequence[TrackerChoices],
    subject: Subject,
    examples_seen: int,
    results: Mapping[str, Any],
) -> None:
    """Hands the results of a finished run to its trackers; those that fail are warned of."""
    for spec in chosen:
        try:
            spec.build(subject).measured(examples_seen, results)
        except Exception as error:
            warnings.warn(
                f"The results could not be sent to a tracker. {type(error).__name__}: {error}",
                RuntimeWarning,
                stacklevel=2,
            )


def _end(error: BaseException | None) -> str:
    if error is None:
        return "FINISHED"
    return "KILLED" if isinstance(error, Interrupted | KeyboardInterrupt) else "FAILED"


def _numbers(prefix: str, values: Mapping[str, Any]) -> Numbers:
    """The numbers in a mapping, by full name; texts and lists are left out."""
    return {
        f"{prefix}/{name}": float(value)
        for name, value in values.items()
        if isinstance(value, int | float) and name not in ("step", "examples_seen")
    }
