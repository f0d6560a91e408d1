"""Univariate normal distributions, parameterised by the logarithm of their scale.

    log p(x) = -1/2 ((x - loc) / scale)^2 - log scale - 1/2 log(2 pi)

Keeping log_scale (rather than scale) as the parameter means that no logarithm of an
exponential is ever taken: neither log-probabilities nor KL divergences lose digits, not even
those of a latent dimension that has all but collapsed onto its prior.
"""

import math
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, constraints, register_kl
from torch.types import _size

HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)


@final
class Gaussian(Distribution):
    """A batch of independent univariate normals.

    Args:
        loc: Means.
        log_scale: Natural logarithms of the standard deviations.

    Example:
        >>> p = Gaussian(torch.zeros(1), torch.zeros(1))
        >>> round(p.log_prob(torch.zeros(1)).item(), 6)
        -0.918939
    """

    arg_constraints = {  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]
        "loc": constraints.real,
        "log_scale": constraints.real,
    }
    has_rsample = True

    def __init__(self, loc: Float[Tensor, "*shape"], log_scale: Float[Tensor, "*shape"]) -> None:
        self.loc, self.log_scale = loc, log_scale
        super().__init__(batch_shape=loc.shape, validate_args=False)

    @property
    def support(self) -> constraints.Constraint:
        return constraints.real

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def stddev(self) -> Tensor:
        return self.log_scale.exp()

    @property
    def variance(self) -> Tensor:
        return (2 * self.log_scale).exp()

    def expand(self, batch_shape: _size, _instance: None = None) -> "Gaussian":
        return Gaussian(self.loc.expand(batch_shape), self.log_scale.expand(batch_shape))

    def from_noise(self, noise: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """The sample that standard normal `noise` becomes: loc + scale * noise."""
        return self.loc + self.stddev * noise

    def rsample(self, sample_shape: _size = ()) -> Tensor:
        shape = self._extended_shape(torch.Size(sample_shape))
        return self.from_noise(torch.randn(shape, dtype=self.loc.dtype, device=self.loc.device))

    def log_prob(self, value: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """Log-density of each value, in nats; `value` broadcasts against `loc`."""
        standardised = (value - self.loc) * torch.exp(-self.log_scale)
        return -0.5 * standardised.square() - self.log_scale - HALF_LOG_TWO_PI

    def entropy(self) -> Tensor:
        return 0.5 + HALF_LOG_TWO_PI + self.log_scale


@register_kl(Gaussian, Gaussian)
def _kl_between_gaussians(q: Gaussian, p: Gaussian) -> Tensor:
    """KL(q || p), eq. 10 of Kingma and Welling (2013) for a general p."""
    log_ratio = q.log_scale - p.log_scale
    shift = (q.loc - p.loc) * torch.exp(-p.log_scale)
    # e^2r - 1 - 2r is as small as r^2 near zero; in this order no larger number is rounded.
    return 0.5 * (torch.expm1(2 * log_ratio) - 2 * log_ratio + shift.square())
