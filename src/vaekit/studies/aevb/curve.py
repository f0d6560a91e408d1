"""A measure in the course of training, at points that are even on a logarithmic axis.

What was measured, and the time that training took without it, are kept whenever the state is, so
that a run that goes on has its curve whole.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeAlias, final

import torch

from vaekit.data import Observation
from vaekit.models import Model
from vaekit.numerics import draw_noise, generator_for
from vaekit.runs.folder import write_json
from vaekit.training import Listener, Plan, Record

PER_DECADE: Final = 10
FIRST: Final = 1000
DIGITS: Final = 3
_BLOCK: Final = 1000
Measure: TypeAlias = Callable[[], dict[str, float]]


def points(samples: int, batch_size: int, per_decade: int, first: int = FIRST) -> set[int]:
    """Numbers of updates after which something is measured; the last one included.

    Example:
        >>> sorted(points(100_000, 100, per_decade=2))
        [10, 32, 100, 316, 1000]
    """
    found, step, last = {max(1, samples // batch_size)}, 0, samples // batch_size
    while (at := round(first / batch_size * 10 ** (step / per_decade))) < last:
        found.add(max(1, at))
        step += 1
    return found


@torch.no_grad()
def bound(model: Model, shown: Observation, seed: int = 0) -> float:
    """The ELBO of some examples with one draw of z each, always the same, in nats."""
    was_training, total = model.training, 0.0
    model.eval()
    for start in range(0, len(shown), _BLOCK):
        some = shown[start : start + _BLOCK]
        source = generator_for(seed, "curve", start, device=shown.x.device)
        noise = draw_noise(model.noise_spec(len(some)), source, shown.x.device)
        inference = model.infer(some, noise=noise)
        fit = inference.log_likelihood().double().sum()
        total += (fit - sum(layer.double().sum() for layer in inference.kl)).item()
    model.train(was_training)
    return total / len(shown)


@final
class Curve(Listener):
    """Measures now and then.

    Args:
        measure: Gives numbers by name.
        at: Updates after which it is asked.
        batch_size: Examples of an update.
        file: Where the curve is kept.
    """

    def __init__(self, measure: Measure, at: set[int], batch_size: int, file: Path) -> None:
        self._measure, self._at, self._batch_size = measure, at, batch_size
        self._file = file
        self.rows: list[dict[str, float]] = []
        self.seconds = self.cpu_seconds = 0.0
        self._wall = self._cpu = 0.0

    def started(self, plan: Plan) -> None:
        if plan.first_step and self._file.is_file():
            kept = json.loads(self._file.read_text(encoding="utf-8"))
            self.seconds, self.cpu_seconds = kept["seconds"], kept["cpu_seconds"]
            seen = plan.first_step * self._batch_size
            self.rows = [row for row in kept["rows"] if row["samples"] <= seen]
        self._start_clock()

    def stepped(self, step: int, reported: Record) -> None:
        if step not in self._at:
            return
        self._stop_clock()
        numbers = {name: round(value, DIGITS) for name, value in self._measure().items()}
        self.rows.append(
            {
                "samples": step * self._batch_size,
                **numbers,
                "cpu_seconds": round(self.cpu_seconds, 1),
            }
        )
        self._start_clock()

    def saving(self, step: int) -> None:
        self._stop_clock()
        self._start_clock()
        self._file.parent.mkdir(parents=True, exist_ok=True)
        write_json(
            self._file,
            {"rows": self.rows, "seconds": self.seconds, "cpu_seconds": self.cpu_seconds},
        )

    def finished(self) -> None:
        self._stop_clock()
        self._start_clock()

    def columns(self) -> dict[str, list[Any]]:
        """The curve, a list for each name; whole numbers of samples."""
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        return {
            name: [int(r[name]) if name == "samples" else r[name] for r in self.rows]
            for name in names
        }

    def _start_clock(self) -> None:
        self._wall, self._cpu = time.monotonic(), time.process_time()

    def _stop_clock(self) -> None:
        self.seconds += time.monotonic() - self._wall
        self.cpu_seconds += time.process_time() - self._cpu
