"""Univariate Laplace distributions, parameterised by the logarithm of their scale.

    log p(x) = -|x - loc| / scale - log(2 scale),    variance 2 scale^2

Standard normal noise becomes a sample by way of its own probability (Phi is the normal's
distribution function, the inner one of F^-1(Phi(noise)), F the Laplace's):

    x = loc - sign(noise) scale log(2 Phi(-|noise|))

which has the same digits in both tails. The divergence of a normal q = N(m, s^2) has a closed form,
because the mean of its distance from loc has one, with d = m - loc:

    KL(q || p) = E|x - loc| / scale + log(2 scale) - H(q)
    E|x - loc| = s sqrt(2 / pi) exp(-d^2 / (2 s^2)) + d erf(d / (s sqrt(2)))

Reference:
    Leone, Nelson and Nottingham (1961), The Folded Normal Distribution
"""

import math
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, constraints, register_kl
from torch.special import log_ndtr
from torch.types import _size

from vaekit.distributions.gaussian import Gaussian

_LOG_2 = math.log(2)
_SQRT_HALF = math.sqrt(0.5)


@final
class Laplace(Distribution):
    """A batch of independent Laplace distributions.

    Args:
        loc: Means.
        log_scale: Natural logarithms of the mean distances from them.

    Example:
        >>> p = Laplace(torch.zeros(1), torch.zeros(1))
        >>> round(p.log_prob(torch.zeros(1)).item(), 6)
        -0.693147
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
    def variance(self) -> Tensor:
        return 2 * (2 * self.log_scale).exp()

    def expand(self, batch_shape: _size, _instance: None = None) -> "Laplace":
        return Laplace(self.loc.expand(batch_shape), self.log_scale.expand(batch_shape))

    def from_noise(self, noise: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """The sample that standard normal `noise` becomes."""
        return self.loc + self.log_scale.exp() * noise.sign() * _distance(noise.abs())

    def tempered(self, factor: float | Tensor) -> "Laplace":
        """The same, its scale multiplied."""
        if isinstance(factor, Tensor):
            return Laplace(self.loc, self.log_scale + factor.log())
        return Laplace(self.loc, self.log_scale + (math.log(factor) if factor else -math.inf))

    def rsample(self, sample_shape: _size = ()) -> Tensor:
        shape = self._extended_shape(torch.Size(sample_shape))
        return self.from_noise(torch.randn(shape, dtype=self.loc.dtype, device=self.loc.device))

    def log_prob(self, value: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """Log-density of each value, in nats; `value` broadcasts against `loc`."""
        distance = (value - self.loc).abs() * torch.exp(-self.log_scale)
        return -distance - self.log_scale - _LOG_2

    def entropy(self) -> Tensor:
        return 1 + _LOG_2 + self.log_scale


def _distance(noise: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """-log(2 Phi(-noise)) of noise that is not negative."""
    # Near zero 2 Phi(-noise) = 1 - erf(noise / sqrt(2)) is close to one, far out to zero: each
    # has a form that keeps its digits. Both are finite everywhere, so that neither sends back NaN.
    near = -torch.log1p(-torch.erf(_SQRT_HALF * noise.clamp_max(1.0)))
    far = -log_ndtr(-noise.clamp_min(1.0)) - _LOG_2
    return torch.where(noise < 1.0, near, far)


@register_kl(Gaussian, Laplace)
def _kl_of_gaussian_from_laplace(q: Gaussian, p: Laplace) -> Tensor:
    shift = q.loc - p.loc
    z = shift * torch.exp(-q.log_scale)
    beside = math.sqrt(2 / math.pi) * torch.exp(q.log_scale - 0.5 * z.square())
    distance = beside + shift * torch.erf(_SQRT_HALF * z)
    return distance * torch.exp(-p.log_scale) + p.log_scale + _LOG_2 - q.entropy()
