"""Who is told about a run while it goes on."""

from dataclasses import dataclass

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
    """Told what happens; does nothing. Trackers, logs and progress bars override what they need."""

    def started(self, plan: Plan) -> None:
        """The run begins, or goes on from `plan.first_step`."""

    def stepped(self, step: int, reported: Record) -> None:
        """`step` updates have been made; `reported` is the newest log record, possibly old."""

    def logged(self, record: Record) -> None:
        """A line of the log: averages over some steps, or a validation."""

    def finished(self) -> None:
        """The run is over, whole or not."""
