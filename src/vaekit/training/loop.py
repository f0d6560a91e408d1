"""The training loop.

Everything random in step t is derived from (seed, t): the order of the data, binarisation,
latent noise, dropout. A run that is killed and continued from its checkpoint therefore ends
bit for bit where an uninterrupted one ends (eager mode; same machine, build, threads and
precision).
"""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from torch import Tensor

from vaekit.data import Batches, Observation, Transform
from vaekit.errors import Interrupted
from vaekit.models import Model
from vaekit.numerics import derive_seed, draw_noise, generator_for
from vaekit.objectives import Objective, check_pair
from vaekit.training import checkpoint
from vaekit.training.captured import CapturedUpdater, obstacle
from vaekit.training.divergence import highest_loss, not_finite, watch_course
from vaekit.training.early_stopping import check_watchable, is_best
from vaekit.training.interruption import StopRequest, stoppable
from vaekit.training.listener import Audience, Listener, Plan, Record
from vaekit.training.machine import changes, environment, is_emulated, isolated, seed_layers
from vaekit.training.memory import memory_explained
from vaekit.training.progress import Progress
from vaekit.training.spec import TrainingSpec
from vaekit.training.state import capture, kept_weights, restore
from vaekit.training.step import Update, Updater
from vaekit.training.validation import validate


@dataclass(frozen=True)
class TrainingData:
    """What training sees of a data set."""

    batches: Batches
    transform: Transform
    validation: Callable[[], Iterable[Observation]] | None = None
    """The validation split, presented the same way at every call."""


@final
class Training:
    """A run in progress.

    Args:
        model: What is trained, on its device.
        objective: What is maximised.
        data: What it is trained on.
        spec: Resolved choices (no 'auto' left).
        seed: Seed of everything random.
        folder: Where checkpoints go; nowhere if absent.
        listeners: Who is told.

    Raises:
        SpecError: Parts that do not go together.
    """

    def __init__(
        self,
        model: Model,
        objective: Objective,
        data: TrainingData,
        spec: TrainingSpec,
        seed: int,
        folder: Path | None = None,
        listeners: Sequence[Listener] = (),
    ) -> None:
        check_pair(model.facts, objective.needs, type(model).__name__, type(objective).__name__)
        check_watchable(spec, data.validation is not None)
        self.model, self.objective, self.data, self.spec = model, objective, data, spec
        self.seed, self.folder, self.audience = seed, folder, Audience(listeners)
        self.updater = Updater(model, objective, spec)
        self._obstacle = obstacle(spec, data.batches) if spec.device == "cuda" else None
        self._captured: CapturedUpdater | None = None
        if spec.device == "cuda" and self._obstacle is None:
            self._captured = CapturedUpdater(self.updater, data.batches, data.transform, seed)
        self.best: dict[str, Tensor] = {}
        self.progress = Progress(environment=environment(spec))
        self.steps_per_epoch = data.batches.steps_per_epoch
        self.total_steps = spec.epochs * self.steps_per_epoch
        self._newest: Record = {}
        self._newest_loss = -math.inf
        self._clock = self._saved_at = 0.0
        self._saved_step: int | None = None

    def run(self, until: int | None = None) -> Progress:
        """Trains until the last epoch, from the newest checkpoint if there is one.

        The model ends with the weights that are kept: the best on validation with early
        stopping, else the averaged ones, else the last. It is then in evaluation mode.

        Args:
            until: Pauses after so many updates in all; with a folder, a later call goes on.

        Raises:
            DivergenceError: The loss is not finite or ran away; the last good state is kept.
            Interrupted: SIGINT or SIGTERM arrived; a checkpoint was saved.
            ArtifactError: A checkpoint or the log cannot be read or written.
            SpecError: A batch does not fit into memory.
        """
        plan = self._begin()
        try:
            with self.audience.told(plan), isolated(self.spec), stoppable() as stop:
                self._steps(stop, self.total_steps if until is None else until)
        finally:
            self.updater.forget_gradients()
            self.model.eval()
        self.model.load_state_dict(kept_weights(self._capture().tensors))
        return self.progress

    def _steps(self, stop: StopRequest, until: int) -> None:
        progress, spec = self.progress, self.spec
        last = min(until, self.total_steps)
        if progress.finished or 0 < until <= progress.step < self.total_steps:
            return
        self.model.train()
        self.objective.train()
        self._clock = time.monotonic()
        if self._saved_step is None:
            self._save()
        while progress.step < last and not progress.finished:
            with memory_explained(spec):
                self._advance(progress.step)
            self._report()
            self.audience.tell(lambda listener: listener.stepped(progress.step, self._newest))
            late = time.monotonic() - self._saved_at >= spec.checkpoint_every_seconds
            if (late or stop.requested) and self._is_on_course():
                self._save()
            if stop.requested:
                raise self._interrupted()
        self._settle()
        progress.finished = progress.finished or progress.step == self.total_steps
        self._save()

    def _advance(self, step: int) -> None:
        """Update number `step`: a pure function of (seed, step) and the state."""
        spec, batches = self.spec, self.data.batches
        epoch, index = divmod(step, self.steps_per_epoch)
        position = step / self.steps_per_epoch
        schedule = self.updater.schedule(position)
        factor = spec.schedule.factor(position, spec.epochs)
        if self._captured is not None:
            self._captured(step, epoch, index, schedule, factor)
            self.progress.step += 1
            return
        source = generator_for(self.seed, "step", step, device=spec.device)
        seed_layers(derive_seed(self.seed, "layers", step), spec.device)
        observation = self.data.transform(batches(epoch, index), source)
        noise = self.model.noise_spec(len(observation), self.objective.num_samples)
        self._count(
            self.updater(
                step,
                observation,
                draw_noise(noise, source, spec.device),
                schedule=schedule,
                learning_rate_factor=factor,
            )
        )

    def _count(self, update: Update) -> None:
        self.progress.step += 1
        self.progress.updates_skipped += not update.applied
        self.progress.window.add(update.reported)
        self._newest_loss = update.reported["loss_nats"]

    def _settle(self) -> None:
        """Waits for captured updates, whose losses nobody has seen."""
        if self._captured is None or self._captured.is_settled:
            return
        window = self._captured.take()
        if window.lost:
            raise not_finite("the loss of a recent update", self.progress.step, window.averages)
        self.progress.updates_skipped += window.skipped
        self.progress.window.add(window.averages, weight=window.updates)
        self._newest_loss = window.averages["loss_nats"]

    # -- the log ---------------------------------------------------------------------------

    def _report(self) -> None:
        """Logs where it is time: training now and then, everything at the end of an epoch."""
        step, spec = self.progress.step, self.spec
        last = step == self.total_steps
        measured = last or step % (self.steps_per_epoch * spec.evaluate_every_epochs) == 0
        if measured or step % spec.log_every_steps == 0:
            self._log_training(last)
        if measured and self.data.validation is not None:
            self._log_validation(self.data.validation())

    def _log_training(self, last: bool) -> None:
        self._settle()
        averages = self.progress.window.take()
        watch_course(self.progress, averages["loss_nats"], self._num_values, last)
        position = (self.progress.step - 1) / self.steps_per_epoch  # of the update just made
        factor = self.spec.schedule.factor(position, self.spec.epochs)
        self._log(
            "training",
            **averages,
            **self.updater.unreported_norms(self.progress.step),
            **self.updater.schedule(position),
            learning_rate=self.spec.optimizer.learning_rate * factor,
            updates_skipped=self.progress.updates_skipped,
        )

    def _log_validation(self, observations: Iterable[Observation]) -> None:
        with self.updater.average.applied():
            with memory_explained(self.spec):
                averages = validate(self.model, self.objective, observations, self.spec, self.seed)
            watched = averages[self.objective.monitored]
            if not math.isfinite(watched):
                raise not_finite("the validation bound", self.progress.step, averages)
            self._log("validation", **averages)  # listeners see what was validated
        stopping, epoch = self.spec.early_stopping, self.progress.step / self.steps_per_epoch
        if stopping is not None and is_best(stopping, self.progress, watched, epoch):
            averaged = {**self.model.state_dict(), **self.updater.average.state_dict()}
            self.best = {name: value.clone() for name, value in averaged.items()}

    def _log(self, kind: str, **values: float) -> None:
        self._tick()
        step = self.progress.step
        record: Record = {
            "kind": kind,
            "step": step,
            "epoch": step / self.steps_per_epoch,
            "examples_seen": step * self.spec.batch_size,
            "seconds": self.progress.seconds,
            **values,
        }
        self._newest = record
        self.audience.tell(lambda listener: listener.logged(record))

    # -- the state -------------------------------------------------------------------------

    def _begin(self) -> Plan:
        """Takes up the newest checkpoint, if there is one."""
        found = checkpoint.latest(self.folder) if self.folder else None
        warnings: tuple[str, ...] = ()
        if found is not None:
            here = self.progress.environment
            self.progress, self.best = restore(checkpoint.load(found), self.updater)
            warnings = changes(self.progress.environment, here)
            self.progress.environment = here
            self._saved_step, self._saved_at = self.progress.step, time.monotonic()
        return Plan(
            total_steps=self.total_steps,
            first_step=self.progress.step,
            steps_per_epoch=self.steps_per_epoch,
            batch_size=self.spec.batch_size,
            warnings=(*warnings, *self._slow_path),
        )

    @property
    def _slow_path(self) -> tuple[str, ...]:
        found = []
        if self._obstacle is not None:
            found.append(
                f"updates are not captured in a CUDA graph and slower for it: {self._obstacle}"
            )
        if is_emulated(self.spec):
            found.append(
                "this hardware emulates bfloat16, up to a hundred times slower than float32: "
                "--set training.precision=auto"
            )
        return tuple(found)

    @property
    def _num_values(self) -> int:
        return math.prod(self.model.event_shape)

    def _is_on_course(self) -> bool:
        self._settle()
        return self._newest_loss <= highest_loss(self.progress, self._num_values)

    def _capture(self) -> checkpoint.Checkpoint:
        return capture(self.updater, self.best, self.progress)

    def _tick(self) -> None:
        now = time.monotonic()
        self.progress.seconds, self._clock = self.progress.seconds + now - self._clock, now

    def _save(self) -> None:
        step = self.progress.step
        if not self.updater.is_finite:
            raise not_finite("a weight", step, {"loss_nats": self._newest_loss})
        if self.folder is None:
            self._saved_at = time.monotonic()
            return
        self.audience.tell(lambda listener: listener.saving(step))
        self._tick()
        checkpoint.save(self.folder, step, self._capture())
        self._saved_step, self._saved_at = step, time.monotonic()

    def _interrupted(self) -> Interrupted:
        step = self.progress.step
        if self.folder is None:
            kept = "no folder was given to keep it in."
        elif self._saved_step == step:
            kept = "everything is saved."
        else:
            kept = f"it goes on from step {self._saved_step}, the last good state."
        return Interrupted(f"Stopped at step {step} of {self.total_steps}; {kept}")
