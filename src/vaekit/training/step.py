"""One update of the weights: the hot path of training."""

import math
from collections.abc import Iterator, Mapping
from typing import final

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from vaekit.data import Observation
from vaekit.errors import DivergenceError, SpecError
from vaekit.models import Model, Noise
from vaekit.objectives import Objective
from vaekit.training.ema import WeightAverage
from vaekit.training.machine import autocast
from vaekit.training.spec import TrainingSpec


@final
class Updater:
    """Turns a batch into an update of the weights.

    Args:
        model: What is trained.
        objective: What is maximised.
        spec: Resolved choices of the loop.
    """

    def __init__(self, model: Model, objective: Objective, spec: TrainingSpec) -> None:
        self.model, self.spec = model, spec
        self.objective = torch.compile(objective) if spec.compile else objective
        self.groups: dict[str, list[nn.Parameter]] = {
            "model": [*model.parameters(), *objective.parameters()]
        }
        self.optimizers: dict[str, Optimizer] = {
            name: spec.optimizer.build(parameters) for name, parameters in self.groups.items()
        }
        self.average = WeightAverage(model, spec.ema_decay)
        self.updates_skipped = 0

    def __call__(
        self,
        step: int,
        observation: Observation,
        noise: Noise,
        schedule: Mapping[str, float],
        learning_rate_factor: float,
    ) -> dict[str, Tensor]:
        """Makes update number `step` and returns what the objective reports of the batch.

        Raises:
            DivergenceError: The loss is not finite; the weights are as before.
            SpecError: The batch does not fit into memory.
        """
        for optimizer in self.optimizers.values():
            optimizer.zero_grad(set_to_none=True)
            for group in optimizer.param_groups:
                group["lr"] = self.spec.optimizer.learning_rate * learning_rate_factor
        try:
            reported = self._gradients(observation, noise, schedule)
        except (torch.OutOfMemoryError, RuntimeError) as error:
            raise _explained(error, self.spec) from error
        if not math.isfinite(reported["loss_nats"].item()):
            raise _not_finite(step, reported)
        if self._wanted(step):
            for optimizer in self.optimizers.values():
                optimizer.step()
            self.average.update(step)
        return reported

    def _gradients(
        self, observation: Observation, noise: Noise, schedule: Mapping[str, float]
    ) -> dict[str, Tensor]:
        """Leaves the batch's gradient in the parameters."""
        total: dict[str, Tensor] = {}
        for share, piece, piece_noise in self._pieces(observation, noise):
            with autocast(self.spec.device, self.spec.precision):
                terms = self.objective(self.model, piece, schedule, piece_noise)
            loss = terms.losses["model"]
            (loss if share == 1.0 else loss * share).backward()
            for name, value in {"loss_nats": loss.detach(), **terms.reported}.items():
                total[name] = total[name] + share * value if name in total else share * value
        return total

    def _pieces(
        self, observation: Observation, noise: Noise
    ) -> Iterator[tuple[float, Observation, Noise]]:
        """The batch in `accumulate` pieces, each with its share of the whole."""
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
        gradient = self.spec.gradient
        if gradient.clip_norm is None and gradient.skip_norm is None:
            return True
        parameters = [p for group in self.groups.values() for p in group if p.grad is not None]
        norm = nn.utils.clip_grad_norm_(parameters, gradient.clip_norm or math.inf).item()
        if not math.isfinite(norm):
            raise _not_finite(step, {"gradient norm": torch.tensor(norm)})
        if gradient.skip_norm is not None and norm > gradient.skip_norm:
            self.updates_skipped += 1
            return False
        return True


def _not_finite(step: int, reported: dict[str, Tensor]) -> DivergenceError:
    seen = ", ".join(f"{name} = {value.item():g}" for name, value in reported.items())
    return DivergenceError(
        f"Training diverged: the loss of update {step} is not finite.",
        found=seen,
        remedy="lower training.optimizer.learning_rate, set training.gradient.clip_norm "
        "(100 is a mild start), or lengthen the warm-up of objective.beta; "
        "look for extreme values in the data",
    )


def _explained(error: RuntimeError, spec: TrainingSpec) -> Exception:
    """A memory error with what would help; any other error as it is."""
    if not isinstance(error, torch.OutOfMemoryError) and "allocate memory" not in str(error):
        return error
    return SpecError(
        "A batch does not fit into memory.",
        where="training.batch_size",
        found=f"batch_size = {spec.batch_size} in {spec.accumulate} piece(s)",
        remedy=f"--set training.accumulate={2 * spec.accumulate} (the same result in less "
        f"memory), or --set training.batch_size={max(1, spec.batch_size // 2)}",
    )
