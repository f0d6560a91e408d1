"""Categorical likelihood, for values that are one of a few levels.

    p(x = k | z) = softmax(logits)_k

Unlike the discretised logistic it knows no order between levels, so it fits any shape of
distribution at the price of one output per level.

Reference:
    van den Oord, Kalchbrenner and Kavukcuoglu (2016), Pixel Recurrent Neural Networks,
    section 3.3, https://arxiv.org/abs/1601.06759
"""

from typing import Literal, final

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor
from torch.distributions import Categorical, Independent

from vaekit.likelihoods.likelihood import Likelihood, ValueRange
from vaekit.spec import Spec


class Levels(Categorical):
    """A categorical distribution over 0 .. levels - 1 whose mean is the expected level."""

    @property
    def mean(self) -> Tensor:
        levels = torch.arange(self._num_events, dtype=self.logits.dtype, device=self.logits.device)
        return (self.probs * levels).sum(-1)


@final
class CategoricalLikelihood(Likelihood):
    """p(x | z) with one independent choice of level per value."""

    def __init__(self, event_shape: tuple[int, ...], levels: int) -> None:
        super().__init__(event_shape)
        self.params_per_value = levels
        self.values = ValueRange(0, levels - 1, whole=True)

    def forward(self, parameters: Float[Tensor, "..."]) -> Independent:
        logits = parameters.movedim(-len(self.event_shape) - 1, -1)
        return self._independent(Levels(logits=logits, validate_args=False))

    def initial_parameters(
        self, mean: Float[Tensor, "*event"], std: Float[Tensor, "*event"]
    ) -> Float[Tensor, "levels *event"]:
        # The level probabilities of a rounded normal with the data's moments, kept away
        # from zero: no level is impossible before training.
        levels = torch.arange(self.params_per_value, dtype=mean.dtype, device=mean.device)
        levels = levels.reshape(-1, *(1 for _ in self.event_shape))
        distance = (levels - mean) / std.clamp_min(0.5)
        return (-0.5 * distance.square()).clamp_min(-10.0)


class CategoricalSpec(Spec):
    """Choices of a categorical likelihood."""

    kind: Literal["categorical"] = "categorical"
    levels: int = Field(default=256, ge=2, description="Number of levels a value can take.")

    def build(self, event_shape: tuple[int, ...]) -> CategoricalLikelihood:
        return CategoricalLikelihood(event_shape, self.levels)
