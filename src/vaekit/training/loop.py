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

import torch
from torch import Tensor

from vaekit.data import Batches, Observation, Transform
from vaekit.errors import DivergenceError, Interrupted
from vaekit.models import Model
from vaekit.numerics import derive_seed, draw_noise, generator_for
from vaekit.objectives import Objective, check_pair
from vaekit.training import checkpoint
from vaekit.training.interruption import StopRequest, stoppable
from vaekit.training.listener import Listener, Plan, Record
from vaekit.training.machine import autocast, environment, threads
from vaekit.training.meter import Meter
from vaekit.training.spec import TrainingSpec
from vaekit.training.state import Progress, capture, kept_weights, restore
from vaekit.training.step import Updater


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
        self.model, self.objective, self.data, self.spec = model, objective, data, spec
        self.seed, self.folder, self.listeners = seed, folder, listeners
        self.updater = Updater(model, objective, spec)
        self.meter = Meter()
        self.best: dict[str, Tensor] = {}
        self.progress = Progress(environment=environment(spec))
        self.steps_per_epoch = data.batches.steps_per_epoch
        self.total_steps = spec.epochs * self.steps_per_epoch
        self._newest: Record = {}

    def run(self) -> Progress:
        """Trains until the last epoch, from the newest checkpoint if there is one.

        The model ends with the weights that are kept: the best on validation with early
        stopping, else the averaged ones, else the last.

        Raises:
            DivergenceError: The loss is not finite or ran away.
            Interrupted: SIGINT or SIGTERM arrived; a checkpoint was saved.
            ArtifactError: A checkpoint or the log could not be written.
        """
        warnings = self._begin()
        plan = Plan(
            total_steps=self.total_steps,
            first_step=self.progress.step,
            steps_per_epoch=self.steps_per_epoch,
            batch_size=self.spec.batch_size,
            warnings=warnings,
        )
        self._tell(lambda listener: listener.started(plan))
        try:
            with torch.random.fork_rng(), threads(self.spec.threads), stoppable() as stop:
                self._steps(stop)
        finally:
            self._tell(lambda listener: listener.finished())
        self.model.load_state_dict(kept_weights(self._capture().tensors))
        self.model.eval()
        return self.progress

    def _steps(self, stop: StopRequest) -> None:
        progress, saved_at, since = self.progress, time.monotonic(), time.monotonic()
        self.model.train()
        while progress.step < self.total_steps and not progress.finished:
            self.meter.add(self._update(progress.step))
            progress.step += 1
            now = time.monotonic()
            progress.seconds, since = progress.seconds + now - since, now
            if progress.step % self.spec.log_every_steps == 0:
                self._log_training()
            if progress.step % (self.steps_per_epoch * self.spec.evaluate_every_epochs) == 0:
                self._log_validation()
            self._tell(lambda listener: listener.stepped(progress.step, self._newest))
            if stop.requested:
                self._save()
                raise self._interrupted()
            if now - saved_at >= self.spec.checkpoint_every_seconds:
                self._save()
                saved_at = time.monotonic()
        progress.finished = True
        self._save()

    def _update(self, step: int) -> dict[str, Tensor]:
        """Update number `step`: a pure function of (seed, step) and the state."""
        spec, model = self.spec, self.model
        epoch, index = divmod(step, self.steps_per_epoch)
        position = step / self.steps_per_epoch
        source = generator_for(self.seed, "step", step, device=spec.device)
        torch.manual_seed(derive_seed(self.seed, "layers", step))  # dropout
        observation = self.data.transform(self.data.batches(epoch, index), source)
        noise_spec = model.noise_spec(len(observation), self.objective.num_samples)
        return self.updater(
            step,
            observation,
            draw_noise(noise_spec, source, spec.device),
            schedule=self.objective.schedule(position),
            learning_rate_factor=spec.schedule.factor(position, spec.epochs),
        )

    # -- the log ---------------------------------------------------------------------------

    def _log_training(self) -> None:
        averages = self.meter.take()
        self._check_course(averages["loss_nats"])
        position = self.progress.step / self.steps_per_epoch
        factor = self.spec.schedule.factor(position, self.spec.epochs)
        self._log(
            "training",
            **averages,
            **self.objective.schedule(position),
            learning_rate=self.spec.optimizer.learning_rate * factor,
            updates_skipped=self.updater.updates_skipped,
        )

    def _check_course(self, loss: float) -> None:
        """Stops a run whose loss ran away without becoming infinite."""
        first = self.progress.first_loss
        if first is None:
            self.progress.first_loss = loss
            return
        limit = first + 10 * (abs(first) + math.prod(self.model.event_shape))
        if loss > limit:
            raise DivergenceError(
                "Training diverged: the loss ran away.",
                where=f"step {self.progress.step}",
                expected=f"less than {limit:.4g} nats (it began at {first:.4g})",
                found=f"{loss:.4g} nats",
                remedy="lower training.optimizer.learning_rate or set training.gradient.clip_norm",
            )

    def _log_validation(self) -> None:
        if self.data.validation is None:
            return
        with self.updater.average.applied():
            averages = self._validate(self.data.validation())
        self._log("validation", **averages)
        self._watch(averages[self.objective.monitored])

    @torch.no_grad()
    def _validate(self, observations: Iterable[Observation]) -> dict[str, float]:
        """The objective's terms on held-out data, with every schedule at its end."""
        self.model.eval()
        meter, schedule = Meter(), self.objective.schedule(math.inf)
        for block, observation in enumerate(observations):
            source = generator_for(self.seed, "validation", block, device=self.spec.device)
            with autocast(self.spec.device, self.spec.precision):
                terms = self.objective(self.model, observation, schedule, generator=source)
            meter.add(terms.reported, weight=len(observation))
        self.model.train()
        return meter.averages()

    def _watch(self, value: float) -> None:
        """Early stopping: remembers the best weights, and when to give up."""
        stopping, progress = self.spec.early_stopping, self.progress
        if stopping is None:
            return
        best = progress.best_value
        if best is None or value > best + stopping.min_improvement_nats:
            progress.best_value, progress.evaluations_since_best = value, 0
            progress.best_epoch = progress.step / self.steps_per_epoch
            averaged = {**self.model.state_dict(), **self.updater.average.state_dict()}
            self.best = {name: value.clone() for name, value in averaged.items()}
            return
        progress.evaluations_since_best += 1
        progress.finished = progress.evaluations_since_best >= stopping.patience

    def _log(self, kind: str, **values: float) -> None:
        step = self.progress.step
        self._newest = {
            "kind": kind,
            "step": step,
            "epoch": step / self.steps_per_epoch,
            "examples_seen": step * self.spec.batch_size,
            "seconds": self.progress.seconds,
            **values,
        }
        self._tell(lambda listener: listener.logged(self._newest))

    def _tell(self, message: Callable[[Listener], None]) -> None:
        for listener in self.listeners:
            message(listener)

    # -- the state -------------------------------------------------------------------------

    def _begin(self) -> tuple[str, ...]:
        """Takes up the newest checkpoint, or writes the first; returns what to warn of."""
        found = checkpoint.latest(self.folder) if self.folder else None
        if found is None:
            self._save()
            return ()
        state = checkpoint.load(found)
        here = self.progress.environment
        self.progress, self.best = restore(state, self.model, self.updater, self.meter)
        before, self.progress.environment = self.progress.environment, here
        changed = [key for key in here if before.get(key) != here[key]]
        return tuple(
            f"{key} was {before.get(key)!r} and is {here[key]!r}: the run goes on, "
            "but will not end bit for bit where it would have"
            for key in changed
        )

    def _capture(self) -> checkpoint.Checkpoint:
        return capture(self.model, self.updater, self.meter, self.best, self.progress)

    def _save(self) -> None:
        """Writes a checkpoint, unless the run is off course: the last good one is kept."""
        if self.folder is None:
            return
        if self.progress.first_loss is not None and self.meter.weight:
            self._check_course(self.meter.averages()["loss_nats"])
        checkpoint.save(self.folder, self.progress.step, self._capture())

    def _interrupted(self) -> Interrupted:
        return Interrupted(
            f"Stopped at step {self.progress.step} of {self.total_steps}; everything is saved."
        )
