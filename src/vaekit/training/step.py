"""One update of the weights: the hot path of training."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, final

import torch
from torch import Tensor, nn

from vaekit.data import Observation
from vaekit.errors import SpecError
from vaekit.models import Model, Noise
from vaekit.objectives import Objective, Schedule, Terms
from vaekit.training.divergence import not_finite
from vaekit.training.ema import WeightAverage
from vaekit.training.machine import autocast
from vaekit.training.optimizers import Optimizer
from vaekit.training.spec import TrainingSpec


class Update(NamedTuple):
    """What became of a batch."""

    reported: dict[str, float]
    """The loss, and what the objective reports: averages over the batch; with a limit on the
    gradient, its norm before it was clipped."""
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
        self.groups = _groups(model, objective)
        _check_groups(spec, self.groups)
        self.optimizers: dict[str, Optimizer] = {
            name: spec.optimizer_of(name).build(parameters)
            for name, parameters in self.groups.items()
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
        self.forget_gradients()
        self.set_learning_rates(learning_rate_factor)
        reported = self._gradients(observation, noise, self._as_inputs(schedule))
        if not all(math.isfinite(reported[loss_name(group)]) for group in self.groups):
            raise not_finite("the loss of the next update", step, reported)
        norms, applied = self._limited(step) if self.spec.gradient.is_limited else ({}, True)
        if applied:
            for optimizer in self.optimizers.values():
                optimizer.step()
            self.average.update(step)
        return Update({**reported, **norms}, applied)

    def schedule(self, epoch: float) -> dict[str, float]:
        """What changes in the course of training, of the objective and of the model."""
        return {**self.objective.schedule(epoch), **self.model.schedule(epoch)}

    @property
    def is_finite(self) -> bool:
        """Whether every weight is, those of the objective included."""
        weights = [weight for group in self.groups.values() for weight in group]
        return all(bool(weight.isfinite().all()) for weight in weights)

    def gradient_norms(self) -> dict[str, Tensor]:
        """Norms of the gradient that lies in the parameters of every group, as they are logged."""
        return {norm_name(group): gradient_norm(found) for group, found in self.groups.items()}

    def unreported_norms(self, step: int) -> dict[str, float]:
        """Norms of the gradient in the update before `step`, unless every update reports them.

        For a look now and then: at every update they would cost time.

        Raises:
            DivergenceError: One is not finite.
        """
        if self.spec.gradient.is_limited:
            return {}
        return _numbers(self.gradient_norms(), "the gradient of the last update", step)

    def forget_gradients(self) -> None:
        """Frees the memory of gradients."""
        for optimizer in self.optimizers.values():
            optimizer.forget_gradients()

    def set_learning_rates(self, factor: float | Tensor) -> None:
        """Gives every group the learning rate of its own optimiser, times `factor`."""
        for group, optimizer in self.optimizers.items():
            optimizer.learning_rate = self.spec.optimizer_of(group).learning_rate * factor

    def backward(self, losses: Mapping[str, Tensor], share: float = 1.0) -> None:
        """Adds the gradient of every group's own loss to its parameters."""
        if len(self.groups) == 1:
            (losses["model"] if share == 1.0 else losses["model"] * share).backward()
            return
        trained = {
            group: [parameter for parameter in parameters if parameter.requires_grad]
            for group, parameters in self.groups.items()
        }
        left = {group: parameters for group, parameters in trained.items() if parameters}
        for number, (group, parameters) in enumerate(left.items(), start=1):
            loss = losses[group] * share
            loss.backward(inputs=parameters, retain_graph=number < len(left))

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
            self.backward(terms.losses, share)
            for name, value in {**named_losses(terms), **terms.reported}.items():
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

    def _limited(self, step: int) -> tuple[dict[str, float], bool]:
        """Clips the gradient of every group.

        Returns:
            The norms there were, and whether the gradient should be applied at all.
        """
        clip, skip = self.spec.gradient.clip_norm, self.spec.gradient.skip_norm
        lengths = self.gradient_norms()
        norms = _numbers(lengths, "the gradient of the next update", step)
        if skip is not None and max(norms.values()) > skip:
            return norms, False
        for parameters, (name, length) in zip(self.groups.values(), lengths.items(), strict=True):
            if clip is not None and norms[name] > clip:
                nn.utils.clip_grads_with_norm_(parameters, clip, length)
        return norms, True


def loss_name(group: str) -> str:
    """What the loss of a parameter group is called in the log."""
    return "loss_nats" if group == "model" else f"{group}_loss_nats"


def norm_name(group: str) -> str:
    """What the norm of the gradient of a parameter group is called in the log."""
    return "gradient_norm" if group == "model" else f"{group}_gradient_norm"


def named_losses(terms: Terms) -> dict[str, Tensor]:
    """The losses as they are logged, off the graph."""
    return {loss_name(group): loss.detach() for group, loss in terms.losses.items()}


def gradient_norm(parameters: Sequence[nn.Parameter]) -> Tensor:
    """Length of the gradient of some parameters."""
    return nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])


def _numbers(norms: Mapping[str, Tensor], what: str, step: int) -> dict[str, float]:
    numbers = {name: norm.item() for name, norm in norms.items()}
    if not all(map(math.isfinite, numbers.values())):
        raise not_finite(what, step, numbers)
    return numbers


def _groups(model: Model, objective: Objective) -> dict[str, list[nn.Parameter]]:
    """What is trained, by the loss that it minimises."""
    apart = objective.parameter_groups()
    others = {id(parameter) for group in apart.values() for parameter in group}
    rest = [p for p in objective.parameters() if p.requires_grad and id(p) not in others]
    return {"model": [*model.parameters(), *rest], **apart}


def _check_groups(spec: TrainingSpec, groups: Mapping[str, object]) -> None:
    for name in spec.group_optimizers:
        if name not in groups:
            raise SpecError(
                f"The objective has no parameter group {name!r}.",
                where=f"training.group_optimizers.{name}",
                expected=f"one of {', '.join(groups)}",
                found=name,
                remedy="leave it out, or choose an objective with such a group (vae_gan)",
            )
