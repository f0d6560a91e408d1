"""When the instruments are read in the course of a training: every step at first, then less often.

The readings of step t lie in a log that is cut back to the checkpoint when a training goes on, so
that a training that was stopped leaves the readings of one that was not.
"""

import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeAlias, final

from safetensors.torch import load_file, save_file
from torch import Tensor

from vaekit.models import Model
from vaekit.training import Listener, MetricsFile, Plan, Record, read_metrics

Reading: TypeAlias = Callable[[], dict[str, Any]]


def reading_steps(total: int, singly: int = 12, per_decade: int = 28) -> list[int]:
    """Steps at which to read: the start, the first `singly`, then evenly by their logarithm.

    Example:
        >>> reading_steps(40, singly=3, per_decade=4)
        [0, 1, 2, 3, 6, 10, 18, 32, 40]
    """
    spaced = {round(10 ** (i / per_decade)) for i in range(9 * per_decade)}
    later = {step for step in spaced if singly < step < total}
    return sorted({*range(min(singly, total) + 1), *later, total})


@final
class Watch(Listener):
    """Reads the instruments now and then, and keeps the weights at some ages.

    Args:
        read: What is read.
        log: Where readings go.
        steps: When.
        keep: Writes down the weights, given the step.
        ages: Steps at which they are kept.
    """

    def __init__(
        self,
        read: Reading,
        log: Path,
        steps: Collection[int],
        keep: Callable[[int], None] = lambda step: None,
        ages: Collection[int] = (),
    ) -> None:
        self._read, self._log, self._path = read, MetricsFile(log), log
        self._steps, self._keep, self._ages = frozenset(steps), keep, frozenset(ages)

    def started(self, plan: Plan) -> None:
        self._log.started(plan)
        if plan.first_step == 0 and not read_metrics(self._path):
            self._look(0)

    def stepped(self, step: int, reported: Record) -> None:
        self._look(step)

    def saving(self, step: int) -> None:
        self._log.saving(step)

    def _look(self, step: int) -> None:
        if step in self._ages:
            self._keep(step)
        if step not in self._steps:
            return
        began = time.perf_counter()
        numbers = self._read()
        self._log.logged({"step": step, **numbers, "seconds": time.perf_counter() - began})


def keep_weights(model: Model, path: Path) -> None:
    """Writes the state of a model, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, partial)
    partial.replace(path)


def kept_weights(path: Path) -> dict[str, Tensor]:
    """The state that `keep_weights` wrote."""
    return load_file(path)
