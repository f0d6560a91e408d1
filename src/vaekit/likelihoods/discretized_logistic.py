"""Discretised logistic likelihood, for images stored as integers.

One observed value x is an integer in {0, ..., levels - 1}. Its probability is the mass
that a logistic density puts on the unit bin around x; the two outer bins also take the
tails, so the masses of one value sum to one:

    p(x) = F((x + 1/2 - loc) / scale) - F((x - 1/2 - loc) / scale),    F = sigmoid.

A mass, unlike a density, is a code length: models with this likelihood can be compared
in bits per dimension.

Reference:
    Kingma et al. (2016), Improving Variational Inference with Inverse Autoregressive
    Flow, https://arxiv.org/abs/1606.04934
"""

import math
from typing import ClassVar, Literal, final

import torch
from jaxtyping import Float, Real
from pydantic import Field
from torch import Tensor
from torch.distributions import Distribution, Independent, constraints
from torch.nn.functional import logsigmoid
from torch.types import _size

from vaekit.likelihoods.likelihood import Likelihood, ValueRange
from vaekit.numerics import inverse_smooth_floor, smooth_floor
from vaekit.spec import Spec


@final
class DiscretizedLogistic(Distribution):
    """A logistic density integrated over unit bins.

    Args:
        loc: Centre of the density, in levels.
        log_scale: Natural logarithm of the scale, in log-levels.
        levels: Number of integer values.

    Example:
        >>> pixel = DiscretizedLogistic(torch.tensor(3.0), torch.tensor(0.0), levels=8)
        >>> masses = pixel.log_prob(torch.arange(8.0)).exp()
        >>> round(float(masses.sum()), 6), int(masses.argmax())
        (1.0, 3)
    """

    arg_constraints = {  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]
        "loc": constraints.real,
        "log_scale": constraints.real,
    }

    def __init__(
        self, loc: Float[Tensor, "*shape"], log_scale: Float[Tensor, "*shape"], levels: int
    ) -> None:
        self.loc, self.log_scale, self.levels = loc, log_scale, levels
        super().__init__(batch_shape=loc.shape, validate_args=False)

    @property
    def support(self) -> constraints.Constraint:
        return constraints.integer_interval(0, self.levels - 1)

    @property
    def mean(self) -> Tensor:
        # E[x] = sum over k >= 1 of P(x >= k), with P(x >= k) = F((loc - k + 1/2) / scale).
        inverse_scale = torch.exp(-self.log_scale)
        total = torch.zeros_like(self.loc)
        for level in range(1, self.levels):
            total = total + torch.sigmoid((self.loc - level + 0.5) * inverse_scale)
        return total

    @torch.no_grad()
    def sample(self, sample_shape: _size = ()) -> Tensor:
        shape = self._extended_shape(torch.Size(sample_shape))
        uniform = torch.rand(shape, dtype=self.loc.dtype, device=self.loc.device)
        draw = self.loc + self.log_scale.exp() * torch.logit(uniform, eps=1e-7)
        return draw.round().clamp(0, self.levels - 1)

    def log_prob(self, value: Real[Tensor, "..."]) -> Float[Tensor, "..."]:
        """Log-mass of each value, in nats; `value` broadcasts against `loc`.

        Values are checked at the data door, not here: a check that looks at values would
        stop the device on every step.
        """
        inverse_scale = torch.exp(-self.log_scale)  # a huge scale becomes 0, never infinite
        below_upper = logsigmoid((value + 0.5 - self.loc) * inverse_scale)
        above_lower = logsigmoid((self.loc - value + 0.5) * inverse_scale)
        # F(a) - F(b) = F(a) F(-b) (1 - e^(b - a)); every factor has a stable logarithm, and
        # a - b is known without a subtraction.
        inner = below_upper + above_lower + _log_one_minus_exp(inverse_scale, -self.log_scale)
        # Every branch is finite, so those not taken send back zeros and no NaN.
        outer = torch.where(value == 0, below_upper, above_lower)
        return torch.where((value == 0) | (value == self.levels - 1), outer, inner)


def _log_one_minus_exp(width: Tensor, log_width: Tensor) -> Tensor:
    """log(1 - e^-width), also where `width` itself is no longer above zero."""
    series = log_width - width / 2 + width.square() / 24  # the next term is width^4 / 2880
    return torch.where(width < 1e-3, series, torch.log(-torch.expm1(-width.clamp_min(1e-3))))


@final
class DiscretizedLogisticLikelihood(Likelihood):
    """p(x | z) with one independent discretised logistic per observed value."""

    params_per_value = 2

    def __init__(self, event_shape: tuple[int, ...], levels: int, min_log_scale: float) -> None:
        super().__init__(event_shape)
        self.levels, self.min_log_scale = levels, min_log_scale
        self.values = ValueRange(0, levels - 1, whole=True)

    def forward(self, parameters: Float[Tensor, "..."]) -> Independent:
        centre, log_scale = self._per_value(parameters)
        middle = (self.levels - 1) / 2  # a zero decoder output means mid-grey
        return self._independent(
            DiscretizedLogistic(
                loc=middle * (1 + centre),
                log_scale=smooth_floor(log_scale, self.min_log_scale),
                levels=self.levels,
            )
        )

    def initial_parameters(
        self, mean: Float[Tensor, "*event"], std: Float[Tensor, "*event"]
    ) -> Float[Tensor, "2 *event"]:
        # A logistic of scale s has standard deviation s pi / sqrt(3); one level at least,
        # because a value that never varies in training may vary later. Where the density
        # reaches beyond the outer bins, what they take in moves the mean inwards.
        log_scale = (std * math.sqrt(3) / math.pi).clamp_min(1.0).log()
        centre = mean / ((self.levels - 1) / 2) - 1
        return torch.stack([centre, inverse_smooth_floor(log_scale, self.min_log_scale)])


class DiscretizedLogisticSpec(Spec):
    """Choices of a discretised logistic likelihood."""

    kind: Literal["discretized_logistic"] = "discretized_logistic"
    mean_is_all: ClassVar[bool] = False
    levels: int = Field(default=256, ge=2, description="Number of integer values.")
    min_log_scale: float = Field(
        default=-7.0,
        ge=-20.0,
        le=5.0,
        description="Smooth floor of the log-scale, in log-levels: "
        "keeps the density from collapsing onto one level.",
    )

    def build(self, event_shape: tuple[int, ...]) -> DiscretizedLogisticLikelihood:
        return DiscretizedLogisticLikelihood(event_shape, self.levels, self.min_log_scale)
