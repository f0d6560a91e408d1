"""Gaussian posterior with full covariance, q(z | x) = N(loc(x), L(x) L(x)^T), for small sizes.

The encoder gives loc, the raw logarithm of L's diagonal, and what is below it. All but loc are
bounded smoothly: the diagonal as the scales of a diagonal Gaussian are, the rest by the largest
scale. L has latent_dim (latent_dim + 1) / 2 numbers for every example, hence small sizes.

Reference:
    Kingma and Welling (2019), An Introduction to Variational Autoencoders, section 2.5.1,
    https://arxiv.org/abs/1906.02691
"""

import math
from typing import Final, Literal, final

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from vaekit.distributions import FullCovarianceGaussian
from vaekit.errors import SpecError
from vaekit.numerics import at_least_float32, smooth_bound, smooth_range
from vaekit.posteriors.posterior import Posterior
from vaekit.spec import Spec

MOST_DIMENSIONS: Final = 64


@final
class FullCovariancePosterior(Posterior):
    """Builds q(z | x) from encoder outputs.

    Args:
        latent_dim: Number of latent dimensions.
        min_log_scale: Below zero; logarithms of L's diagonal stay above it.
        max_log_scale: Above zero; they stay below it.
    """

    rows: Tensor
    columns: Tensor

    def __init__(self, latent_dim: int, min_log_scale: float, max_log_scale: float) -> None:
        super().__init__(latent_dim)
        self.min_log_scale, self.max_log_scale = min_log_scale, max_log_scale
        rows, columns = torch.tril_indices(latent_dim, latent_dim, offset=-1)
        self.register_buffer("rows", rows, persistent=False)
        self.register_buffer("columns", columns, persistent=False)

    @property
    def num_parameters(self) -> int:
        return 2 * self.latent_dim + len(self.rows)

    def forward(self, parameters: Float[Tensor, "batch params"]) -> FullCovarianceGaussian:
        size = self.latent_dim
        loc, raw_diagonal, raw_below = at_least_float32(parameters).tensor_split(
            (size, 2 * size), dim=-1
        )
        below = loc.new_zeros(loc.shape[0], size, size)
        below[:, self.rows, self.columns] = smooth_bound(raw_below, math.exp(self.max_log_scale))
        log_diagonal = smooth_range(raw_diagonal, self.min_log_scale, self.max_log_scale)
        return FullCovarianceGaussian(loc, log_diagonal, below)


class FullCovarianceSpec(Spec):
    """Choices of a Gaussian posterior with full covariance."""

    kind: Literal["full_covariance"] = "full_covariance"
    min_log_scale: float = Field(
        default=-7.0, ge=-40, lt=0, description="Smooth lower bound of log L_ii; e^-7 is 0.0009."
    )
    max_log_scale: float = Field(
        default=2.0, gt=0, le=40, description="Smooth upper bound of log L_ii and log |L_ij|."
    )

    def check_size(self, latent_dim: int) -> None:
        """Refuses a layer with too many numbers to its covariance."""
        if latent_dim > MOST_DIMENSIONS:
            numbers = latent_dim * (latent_dim + 1) // 2
            raise SpecError(
                f"A full covariance of {latent_dim} latent dimensions takes {numbers:,} outputs "
                "of the encoder for every example.",
                where="model.posterior.kind = 'full_covariance'",
                expected=f"model.latent_dim of {MOST_DIMENSIONS} or less",
                found=latent_dim,
                remedy="choose model.posterior.kind = 'inverse_autoregressive_flow', "
                "or a smaller model.latent_dim",
            )

    def build(self, latent_dim: int) -> FullCovariancePosterior:
        """The posterior.

        Raises:
            SpecError: There would be too many numbers to a covariance.
        """
        self.check_size(latent_dim)
        return FullCovariancePosterior(latent_dim, self.min_log_scale, self.max_log_scale)
