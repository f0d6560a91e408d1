"""Categorical likelihood, for values that are one of a few levels.

    p(x = k | z) = softmax(logits)_k

Unlike the discretised logistic it knows no order between levels, so it fits any shape of
distribution at the price of one output per level.

Reference:
    van den Oord, Kalchbrenner and Kavukcuoglu (2016), Pixel Recurrent Neural Networks,
    section 3.3, https://arxiv.org/abs/1601.06759
"""

from typing import ClassVar, Literal, final

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor
from torch.distributions import Categorical, Independent
from torch.types import _size

from vaekit.likelihoods.likelihood import Likelihood, ValueRange
from vaekit.numerics import at_least_float32
from vaekit.spec import Spec


class Levels(Categorical):
    """A categorical distribution over the numbers 0, ..., levels - 1.

    torch's own is one over names: it has NaN for moments, and integers for draws.
    """

    @property
    def mean(self) -> Tensor:
        return (self.probs * self._levels).sum(-1)

    @property
    def variance(self) -> Tensor:
        return (self.probs * (self._levels - self.mean.unsqueeze(-1)).square()).sum(-1)

    def sample(self, sample_shape: _size = ()) -> Tensor:
        return super().sample(torch.Size(sample_shape)).to(self.logits.dtype)

    @property
    def _levels(self) -> Tensor:
        return torch.arange(self._num_events, dtype=self.logits.dtype, device=self.logits.device)


@final
class CategoricalLikelihood(Likelihood):
    """p(x | z) with one independent choice of level per value."""

    def __init__(self, event_shape: tuple[int, ...], levels: int) -> None:
        super().__init__(event_shape)
        self.params_per_value = levels
        self.values = ValueRange(0, levels - 1, whole=True)

    def forward(self, parameters: Float[Tensor, "..."]) -> Independent:
        logits = at_least_float32(parameters).movedim(-len(self.event_shape) - 1, -1)
        return self._independent(Levels(logits=logits, validate_args=False))

    def initial_parameters(
        self, mean: Float[Tensor, "*event"], std: Float[Tensor, "*event"]
    ) -> Float[Tensor, "levels *event"]:
        """The beta-binomial with the data's mean and, where it can have it, their variance.

        E[x] = n p,    Var[x] = n p (1 - p) (1 + (n - 1) rho),    0 < rho < 1
        """
        n = self.params_per_value - 1
        # In float64, because differences of large logarithms of gammas follow.
        p = (mean.double() / n).clamp(1e-3, 1 - 1e-3)
        overdispersion = std.double().square() / (n * p * (1 - p)) - 1
        rho = (overdispersion / max(n - 1, 1)).clamp(1e-3, 1 - 1e-3)
        alpha, beta = p * (1 / rho - 1), (1 - p) * (1 / rho - 1)
        k = torch.arange(n + 1, dtype=p.dtype, device=mean.device)
        k = k.reshape(-1, *(1 for _ in self.event_shape))
        logits = (
            torch.lgamma(k + alpha)
            - torch.lgamma(k + 1)
            + torch.lgamma(n - k + beta)
            - torch.lgamma(n - k + 1)
        )
        # No level is all but impossible before training.
        return (logits - logits.amax(0)).clamp_min(-15.0).to(mean.dtype)


class CategoricalSpec(Spec):
    """Choices of a categorical likelihood."""

    kind: Literal["categorical"] = "categorical"
    mean_is_all: ClassVar[bool] = False
    levels: int = Field(default=256, ge=2, description="Number of levels a value can take.")

    def build(self, event_shape: tuple[int, ...]) -> CategoricalLikelihood:
        return CategoricalLikelihood(event_shape, self.levels)
