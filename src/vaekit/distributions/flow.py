"""Normalizing flows: what a bijection makes of Gaussian noise.

    z = f(u),    u ~ N(loc, scale^2),    log p(z) = log N(u) - log |det dz/du|

A flow remembers its newest sample together with the u it came from, so that the density of its
own draws takes no inversion. That of any other z takes one. Neither mean nor standard deviation
has a closed form, and asking for them is an error.

Reference:
    Rezende and Mohamed (2015), Variational Inference with Normalizing Flows,
    https://arxiv.org/abs/1505.05770
"""

from typing import cast, final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, Independent, constraints
from torch.types import _size

from vaekit.distributions.bijection import Bijection, Constant, Context
from vaekit.distributions.factor import detached, from_noise


@final
class Flow(Distribution):
    """A distribution over vectors, by a bijection of Gaussian ones.

    Args:
        base: Of u; Gaussians, one for each dimension.
        bijection: From u to z.
        context: What the bijection is told of each member of the batch.
    """

    arg_constraints = {}  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]
    has_rsample = True

    def __init__(
        self, base: Independent, bijection: Bijection, context: Context | None = None
    ) -> None:
        self.base, self.bijection, self.context = base, bijection, context
        self._own: tuple[Tensor, Tensor, Tensor] | None = None
        super().__init__(base.batch_shape, base.event_shape, validate_args=False)

    @property
    def support(self) -> constraints.Constraint:
        return constraints.real_vector

    def from_noise(self, noise: Float[Tensor, "*lead latent"]) -> Float[Tensor, "*lead latent"]:
        """The sample that standard normal `noise` becomes."""
        u = from_noise(self.base, noise)
        z, log_det = self.bijection(u, self.context)
        self._own = z, u, log_det
        return z

    def rsample(self, sample_shape: _size = ()) -> Tensor:
        loc = self.base.base_dist.loc
        shape = self._extended_shape(torch.Size(sample_shape))
        return self.from_noise(torch.randn(shape, dtype=loc.dtype, device=loc.device))

    def log_prob(self, value: Float[Tensor, "*lead latent"]) -> Float[Tensor, "*lead"]:
        """Log-density of each vector, in nats."""
        if self._own is not None and value is self._own[0]:
            _, u, log_det = self._own
        else:
            u, log_det = self.bijection.inverse(value, self.context)
        return self.base.base_dist.log_prob(u).sum(-1) - log_det

    def detached(self) -> "Flow":
        """The same flow, without gradients into base, bijection or context."""
        context = None if self.context is None else self.context.detach()
        return Flow(cast(Independent, detached(self.base)), Constant(self.bijection), context)
