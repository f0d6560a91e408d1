"""One update of the weights: the hot path of training."""

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple, final

import torch
from torch import Tensor, nn

from vaekit.data import Observation
from vaekit.models import Model, Noise
from vaekit.objectives import Objective, Schedule
from vaekit.training.divergence import not_finite
from vaekit.training.ema import WeightAverage
from vaekit.training.machine import autocast
from vaekit.training.optimizers import Optimizer
from vaekit.training.spec import TrainingSpec


class Update(NamedTuple):
    """What became of a batch."""

    reported: dict[str, float]
    """The loss, and what the objective reports: averages over the batch."""
    applied: bool
    """Whether the weights changed; not, where the gradient was longer than `skip_norm`."""


@final
class Updater:
    """Turns a batch into an update of the weights.

    Args:
        model: What is trained.
        objective: What is maximised.
        spec: Resolved choices of the loop.
    """

    def __init__(self, model: Model, objective: Objective, spec: TrainingSpec) -> None:
        self.model, self.objective, self.spec = model, objective, spec
        self.groups: dict[str, list[nn.Parameter]] = {
            "model": [*model.parameters(), *objective.parameters()]
        }
        self.optimizers: dict[str, Optimizer] = {
            name: spec.optimizer.build(parameters) for name, parameters in self.groups.items()
        }
        self.average = WeightAverage(model, spec.ema_decay)
        self.terms = (
            torch.compile(objective, fullgraph=objective.in_one_piece)
            if spec.compile
            else objective
        )

    def __call__(
        self,
        step: int,
        observation: Observation,
        noise: Noise,
        schedule: Mapping[str, float],
        learning_rate_factor: float,
    ) -> Update:
        """Makes update number `step`, counted from zero.

        Raises:
            DivergenceError: The loss or the gradient is not finite; the weights are as before.
        """
        self._prepare(self.spec.optimizer.learning_rate * learning_rate_factor)
        reported = self._gradients(observation, noise, self._as_inputs(schedule))
        if not math.isfinite(reported["loss_nats"]):
            raise not_finite("the loss of the next update", step, reported)
        applied = self._wanted(step)
        if applied:
            for optimizer in self.optimizers.values():
                optimizer.step()
            self.average.update(step)
        return Update(reported, applied)

    def schedule(self, epoch: float) -> dict[str, float]:
        """What changes in the course of training, of the objective and of the model."""
        return {**self.objective.schedule(epoch), **self.model.schedule(epoch)}

    @property
    def is_finite(self) -> bool:
        """Whether every weight is, those of the objective included."""
        weights = [weight for group in self.groups.values() for weight in group]
        return all(bool(weight.isfinite().all()) for weight in weights)

    def forget_gradients(self) -> None:
        """Frees the memory of gradients."""
        for optimizer in self.optimizers.values():
            optimizer.forget_gradients()

    def _prepare(self, learning_rate: float) -> None:
        self.forget_gradients()
        for optimizer in self.optimizers.values():
            optimizer.learning_rate = learning_rate

    def _as_inputs(self, schedule: Mapping[str, float]) -> Schedule:
        """What a compiled step must not take for constants, or it is compiled at every value."""
        if not self.spec.compile:
            return schedule
        return {
            name: torch.tensor(value, device=self.spec.device) for name, value in schedule.items()
        }

    def _gradients(
        self, observation: Observation, noise: Noise, schedule: Schedule
    ) -> dict[str, float]:
        """Leaves the batch's gradient in the parameters."""
        total: dict[str, Tensor] = {}
        self.model.follow(schedule)
        for share, piece, piece_noise in self._pieces(observation, noise):
            with autocast(self.spec.device, self.spec.precision):
                terms = self.terms(self.model, piece, schedule, piece_noise)
            loss = terms.losses["model"]
            (loss if share == 1.0 else loss * share).backward()
            for name, value in {"loss_nats": loss.detach(), **terms.reported}.items():
                total[name] = total[name] + share * value if name in total else share * value
        values = torch.stack(tuple(total.values())).tolist()  # one wait for the device
        return dict(zip(total, values, strict=True))

    def _pieces(
        self, observation: Observation, noise: Noise
    ) -> Iterator[tuple[float, Observation, Noise]]:
        """The batch in at most `accumulate` pieces, each with its share of the whole."""
        if self.spec.accumulate == 1:
            yield 1.0, observation, noise
            return
        size = math.ceil(len(observation) / self.spec.accumulate)
        for start in range(0, len(observation), size):
            rows = slice(start, start + size)
            piece = observation[rows]
            share = len(piece) / len(observation)
            yield share, piece, tuple(layer[:, rows] for layer in noise)

    def _wanted(self, step: int) -> bool:
        """Clips the gradient, and says whether it should be applied at all."""
        clip, skip = self.spec.gradient.clip_norm, self.spec.gradient.skip_norm
        if clip is None and skip is None:
            return True
        parameters = [p for group in self.groups.values() for p in group if p.grad is not None]
        length = nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
        norm = length.item()
        if not math.isfinite(norm):
            raise not_finite("the gradient of the next update", step, {"norm": norm})
        if skip is not None and norm > skip:
            return False
        if clip is not None and norm > clip:
            nn.utils.clip_grads_with_norm_(parameters, clip, length)
        return True
