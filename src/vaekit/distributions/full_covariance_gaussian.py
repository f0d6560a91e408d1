"""Multivariate normal distributions, by the Cholesky factor of their covariance.

    z = loc + L noise,    L = diag(exp(log_diagonal)) + below,    Cov z = L L^T

The diagonal of L is kept as its logarithm, for the reasons that univariate normals have. A
sample is remembered with the noise it came from: the density of a distribution's own draws
takes no triangular solve, and loses no digits to one.
"""

import math
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, Independent, constraints, register_kl
from torch.types import _size

from vaekit.distributions.gaussian import HALF_LOG_TWO_PI, Gaussian


@final
class FullCovarianceGaussian(Distribution):
    """A batch of multivariate normals.

    Args:
        loc: Means.
        log_diagonal: Natural logarithms of the diagonal of L.
        below: What L has below its diagonal, and zeros elsewhere.
    """

    arg_constraints = {  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]
        "loc": constraints.real_vector,
        "log_diagonal": constraints.real_vector,
        "below": constraints.real,
    }
    has_rsample = True

    def __init__(
        self,
        loc: Float[Tensor, "*batch latent"],
        log_diagonal: Float[Tensor, "*batch latent"],
        below: Float[Tensor, "*batch latent latent"],
    ) -> None:
        self.loc, self.log_diagonal, self.below = loc, log_diagonal, below
        self._own: tuple[Tensor, Tensor] | None = None
        super().__init__(loc.shape[:-1], loc.shape[-1:], validate_args=False)

    @property
    def support(self) -> constraints.Constraint:
        return constraints.real_vector

    @property
    def scale_tril(self) -> Float[Tensor, "*batch latent latent"]:
        """The Cholesky factor L."""
        return torch.diag_embed(self.log_diagonal.exp()) + self.below

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return (2 * self.log_diagonal).exp() + self.below.square().sum(-1)

    def from_noise(self, noise: Float[Tensor, "*lead latent"]) -> Float[Tensor, "*lead latent"]:
        """The sample that standard normal `noise` becomes: loc + L noise."""
        # No matrix product: automatic mixed precision would round its factors to bfloat16.
        across = (self.below * noise.unsqueeze(-2)).sum(-1)
        z = self.loc + self.log_diagonal.exp() * noise + across
        self._own = z, noise
        return z

    def rsample(self, sample_shape: _size = ()) -> Tensor:
        shape = self._extended_shape(torch.Size(sample_shape))
        return self.from_noise(torch.randn(shape, dtype=self.loc.dtype, device=self.loc.device))

    def log_prob(self, value: Float[Tensor, "*lead latent"]) -> Float[Tensor, "*lead"]:
        """Log-density of each vector, in nats."""
        own, noise = self._own or (None, None)
        if noise is None or value is not own:
            noise = self._noise_of(value)
        return -(0.5 * noise.square() + self.log_diagonal + HALF_LOG_TWO_PI).sum(-1)

    def entropy(self) -> Tensor:
        return (0.5 + HALF_LOG_TWO_PI + self.log_diagonal).sum(-1)

    def _noise_of(self, value: Tensor) -> Tensor:
        """L^-1 (value - loc), one factorisation for all samples of an example."""
        shift = value - self.loc
        lead = math.prod(shift.shape[: shift.ndim - self.loc.ndim])
        rows = shift.reshape(lead, *self.loc.shape).movedim(0, -1)
        noise = torch.linalg.solve_triangular(self.scale_tril, rows, upper=False)
        return noise.movedim(-1, 0).reshape(shift.shape)


@register_kl(FullCovarianceGaussian, Independent)
def _kl_to_independent_gaussians(q: FullCovarianceGaussian, p: Independent) -> Tensor:
    """KL(q || p) for a p that splits over dimensions; no closed form but for Gaussians."""
    normal = p.base_dist
    if not isinstance(normal, Gaussian) or p.reinterpreted_batch_ndims != 1:
        raise NotImplementedError
    inverse_scale = torch.exp(-normal.log_scale)
    log_ratio = q.log_diagonal - normal.log_scale
    shift = (q.loc - normal.loc) * inverse_scale
    across = (q.below * inverse_scale.unsqueeze(-1)).square().sum(-1)
    # As between univariate normals: no larger number is rounded than the result needs.
    per_row = torch.expm1(2 * log_ratio) - 2 * log_ratio + shift.square() + across
    return 0.5 * per_row.sum(-1)
