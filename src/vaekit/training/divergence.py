"""When a run is beyond recovery: numbers that are not finite, and losses that ran away.

A loss has no natural upper end, and log-densities no sign, so a runaway is measured from
where the run began, in units of how large a loss was then and of one nat per value:

    off course:  loss > first + 10 (|first| + number of values)

`first` is the first line of the log, an average over many updates. One later line off course
may be a spike, which training survives; two in a row, or the last one, stop the run.
"""

import math
from collections.abc import Mapping

from vaekit.errors import DivergenceError
from vaekit.training.progress import Progress

REMEDY = (
    "lower training.optimizer.learning_rate, set training.gradient.clip_norm "
    "(100 is a mild start), or lengthen the warm-up of objective.beta; "
    "look for extreme values in the data"
)


def highest_loss(progress: Progress, num_values: int) -> float:
    """The loss in nats above which a run is off course."""
    first = progress.first_loss
    return math.inf if first is None else first + 10 * (abs(first) + num_values)


def watch_course(progress: Progress, loss: float, num_values: int, last: bool) -> None:
    """Takes in the loss of a line of the log.

    Args:
        progress: Where what is remembered is kept.
        loss: The average, in nats.
        num_values: Values per example.
        last: Whether it is the last line.

    Raises:
        DivergenceError: The loss ran away.
    """
    limit = highest_loss(progress, num_values)
    if progress.first_loss is None:
        progress.first_loss = loss
    progress.windows_off_course = progress.windows_off_course + 1 if loss > limit else 0
    if progress.windows_off_course == 2 or (last and progress.windows_off_course):
        raise DivergenceError(
            "Training diverged: the loss ran away. The last good state is kept.",
            where=f"step {progress.step}",
            expected=f"less than {limit:.4g} nats (it began at {progress.first_loss:.4g})",
            found=f"{loss:.4g} nats",
            remedy=REMEDY,
        )


def not_finite(what: str, step: int, seen: Mapping[str, float]) -> DivergenceError:
    """The error for `what`, after `step` updates, and numbers that tell more."""
    numbers = ", ".join(f"{name} = {value:g}" for name, value in seen.items())
    return DivergenceError(
        f"Training diverged: {what} is not finite. The last good state is kept.",
        where=f"step {step}",
        found=numbers,
        remedy=REMEDY,
    )
