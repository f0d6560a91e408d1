"""Spike and slab: per dimension, a mixture of a narrow and a wide Gaussian around zero.

    p(z) = w N(z; 0, spike^2) + (1 - w) N(z; 0, slab^2)

Under the narrow one a dimension is off, all but. Unlike a point mass it has a density, so that the
KL of a posterior can be estimated.

Reference:
    George and McCulloch (1993), Variable Selection via Gibbs Sampling (two Gaussians in place
    of a point mass and one)
"""

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, constraints
from torch.nn.functional import logsigmoid
from torch.special import ndtr
from torch.types import _size

from vaekit.distributions.gaussian import Gaussian


@final
class SpikeAndSlab(Distribution):
    """Independent mixtures of two Gaussians, one for each dimension.

    Args:
        logit: Of the probability of the spike.
        log_spike: Natural logarithm of its standard deviation.
        log_slab: Natural logarithm of the standard deviation of the slab.

    Example:
        >>> p = SpikeAndSlab(*torch.zeros(3, 1))  # both are a standard normal
        >>> round(p.log_prob(torch.zeros(1)).item(), 6)
        -0.918939
    """

    arg_constraints = {  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]
        "logit": constraints.real,
        "log_spike": constraints.real,
        "log_slab": constraints.real,
    }

    def __init__(
        self,
        logit: Float[Tensor, "*shape"],
        log_spike: Float[Tensor, "*shape"],
        log_slab: Float[Tensor, "*shape"],
    ) -> None:
        self.logit, self.log_spike, self.log_slab = logit, log_spike, log_slab
        super().__init__(batch_shape=logit.shape, validate_args=False)

    @property
    def support(self) -> constraints.Constraint:
        return constraints.real

    @property
    def noise_size(self) -> int:
        """The latent dimensions, and for each of them one number that chooses."""
        return 2 * self.logit.shape[-1]

    @property
    def mean(self) -> Tensor:
        return torch.zeros_like(self.logit)

    @property
    def variance(self) -> Tensor:
        spike, slab = (2 * self.log_spike).exp(), (2 * self.log_slab).exp()
        return slab.lerp(spike, self.logit.sigmoid())

    def expand(self, batch_shape: _size, _instance: None = None) -> "SpikeAndSlab":
        parts = (self.logit, self.log_spike, self.log_slab)
        return SpikeAndSlab(*(part.expand(batch_shape) for part in parts))

    def from_noise(self, noise: Float[Tensor, "*lead more"]) -> Float[Tensor, "*lead latent"]:
        """The sample that standard normal `noise` becomes.

        The second half of the numbers chooses, by where their probabilities fall: below that of
        the spike, the spike. No gradient reaches its weight.
        """
        value, choice = noise.chunk(2, dim=-1)
        is_spike = ndtr(choice) < self.logit.sigmoid()
        return torch.where(is_spike, self.log_spike, self.log_slab).exp() * value

    def sample(self, sample_shape: _size = ()) -> Tensor:
        shape = (*sample_shape, *self.batch_shape[:-1], self.noise_size)
        with torch.no_grad():
            like = self.logit
            return self.from_noise(torch.randn(shape, dtype=like.dtype, device=like.device))

    def log_prob(self, value: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """Log-density of each value, in nats."""
        zero = torch.zeros_like(self.logit)
        spike = logsigmoid(self.logit) + Gaussian(zero, self.log_spike).log_prob(value)
        slab = logsigmoid(-self.logit) + Gaussian(zero, self.log_slab).log_prob(value)
        return torch.logaddexp(spike, slab)
