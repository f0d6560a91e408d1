"""Carrying a cell out: training under observation, from where it stands to its end.

    <work>/<cell>/checkpoint/       the newest state
    <work>/<cell>/readings.jsonl    what the instruments have read so far
    <work>/<cell>/ages/<step>       weights at some ages, with calibrated batch statistics

The folder may be thrown away once the result is written.
"""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, cast, final

from vaekit.data import Batches, Observation, present
from vaekit.models import VAE, Model
from vaekit.recipes import Recipe
from vaekit.runs import Assembly
from vaekit.runs.folder import locked
from vaekit.studies.dynamics.calibration import calibrated
from vaekit.studies.dynamics.cells import Cell, assembled
from vaekit.studies.dynamics.ending import ending
from vaekit.studies.dynamics.instruments import EXAMPLES, Probe
from vaekit.studies.dynamics.relatives import EntropyProbe, LayerProbe
from vaekit.studies.dynamics.results import Content, columns_of
from vaekit.studies.dynamics.watch import Watch, keep_weights, reading_steps
from vaekit.training import Listener, Training, TrainingData, read_metrics

AGES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
"""Epochs at which weights are kept, as far as a training goes."""


@final
class Experiment:
    """A recipe, trained in a folder while instruments watch.

    Args:
        recipe: What is trained.
        parts: Its data, model and objective.
        folder: Where the state and the readings lie.
    """

    def __init__(self, recipe: Recipe, parts: Assembly, folder: Path) -> None:
        self.recipe, self.parts, self.folder = recipe, parts, folder
        split = parts.transform.prepare(parts.dataset.split("train"))
        self.batches = Batches(split, recipe.training.batch_size, recipe.seed, "cpu")
        self.held_out = held_out(parts)

    @property
    def total_steps(self) -> int:
        return self.batches.steps_per_epoch * self.recipe.training.epochs

    @property
    def ages(self) -> list[int]:
        """Steps at which the weights are kept, the last one among them."""
        steps = [max(1, round(age * self.batches.steps_per_epoch)) for age in AGES]
        return [*(step for step in steps if step < self.total_steps), self.total_steps]

    def age_file(self, step: int) -> Path:
        return self.folder / "ages" / f"{step:08d}.safetensors"

    def run(
        self,
        read: Callable[[Model], dict[str, Any]],
        steps: Collection[int] | None = None,
        keep_ages: bool = False,
        listeners: Sequence[Listener] = (),
    ) -> Content:
        """Trains to the end; returns the readings as columns, and what it took.

        Args:
            read: The instruments.
            steps: When they are read.
            keep_ages: Whether weights are kept at `ages`.
            listeners: Who else is told.
        """
        chosen = reading_steps(self.total_steps) if steps is None else steps
        model, log = self.parts.model, self.folder / "readings.jsonl"
        ages = self.ages if keep_ages else []
        watch = Watch(lambda: read(model), log, chosen, self._keep, ages)
        data = TrainingData(self.batches, self.parts.transform)
        with locked(self.folder):
            progress = Training(
                model,
                self.parts.objective,
                data,
                self.recipe.training,
                self.recipe.seed,
                self.folder / "checkpoint",
                [watch, *listeners],
            ).run()
        readings = read_metrics(log)
        seconds = sum(float(row["seconds"]) for row in readings)
        return {
            "steps_per_epoch": self.batches.steps_per_epoch,
            **columns_of(readings),
            "machine": {
                **progress.environment,
                "seconds": round(progress.seconds, 1),
                "seconds_of_instruments": round(seconds, 1),
            },
        }

    def _keep(self, step: int) -> None:
        with calibrated(self.parts.model, self.held_out):
            keep_weights(self.parts.model, self.age_file(step))


def held_out(parts: Assembly) -> Observation:
    """The test examples that the instruments see, drawn once."""
    return next(present(parts.dataset.split("test"), parts.transform, 0, "cpu", most=EXAMPLES))


def carry_out(cell: Cell, work: Path, listeners: Sequence[Listener] = ()) -> Content:
    """Trains a cell and measures it; the result, ready for JSON.

    Raises:
        Interrupted: SIGINT or SIGTERM arrived; the same call goes on.
    """
    recipe = cell.recipe()
    experiment = Experiment(recipe, assembled(recipe), work / cell.name)
    model, probe = experiment.parts.model, probe_for(cell, experiment.held_out)
    content: Content = {"name": cell.name, "settings": cell.settings}
    curves = experiment.run(probe, keep_ages=isinstance(probe, Probe), listeners=listeners)
    if isinstance(probe, Probe):
        content |= ending(experiment.parts, cast(VAE, model), probe)
    return {**content, **curves}


def probe_for(cell: Cell, shown: Observation) -> Callable[[Any], dict[str, Any]]:
    """The instrument that reads this family of models."""
    if cell.family == "categorical":
        return EntropyProbe(shown)
    if cell.family == "hierarchical":
        return LayerProbe(shown)
    return Probe(shown, cell.beta)
