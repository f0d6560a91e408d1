"""Diagonal Gaussian posterior q(z | x) = N(loc(x), diag(scale(x)^2)).

The encoder gives loc and a raw log-scale; the raw value is bounded smoothly, so that
neither exp(log_scale) nor exp(-log_scale) can overflow, whatever the encoder says. The upper
bound is near: under a prior of scale one no posterior wants to be much wider, and an encoder
that met an unheard-of pixel would otherwise send z hundreds of units away, at a loss that
wrecks the run (docs/experiments.md).

Reference:
    Kingma and Welling (2013), Auto-Encoding Variational Bayes, eq. 9,
    https://arxiv.org/abs/1312.6114
"""

from typing import Literal, final

from jaxtyping import Float
from pydantic import Field
from torch import Tensor
from torch.distributions import Independent

from vaekit.distributions import Gaussian
from vaekit.numerics import at_least_float32, smooth_range
from vaekit.posteriors.posterior import Posterior
from vaekit.spec import Spec


@final
class DiagonalGaussianPosterior(Posterior):
    """Builds q(z | x) from encoder outputs.

    Args:
        latent_dim: Number of latent dimensions.
        min_log_scale: Below zero; log-scales stay above it.
        max_log_scale: Above zero; log-scales stay below it.
    """

    def __init__(self, latent_dim: int, min_log_scale: float, max_log_scale: float) -> None:
        super().__init__(latent_dim)
        self.min_log_scale, self.max_log_scale = min_log_scale, max_log_scale

    @property
    def num_parameters(self) -> int:
        return 2 * self.latent_dim

    def forward(self, parameters: Float[Tensor, "*lead params"]) -> Independent:
        return Independent(Gaussian(*self.moments(parameters)), 1, validate_args=False)

    def moments(
        self, parameters: Float[Tensor, "*lead params"]
    ) -> tuple[Float[Tensor, "*lead latent"], Float[Tensor, "*lead latent"]]:
        """Location and bounded log-scale."""
        loc, raw_log_scale = at_least_float32(parameters).chunk(2, dim=-1)
        return loc, smooth_range(raw_log_scale, self.min_log_scale, self.max_log_scale)


class DiagonalGaussianSpec(Spec):
    """Choices of a diagonal Gaussian posterior."""

    kind: Literal["diagonal_gaussian"] = "diagonal_gaussian"
    min_log_scale: float = Field(
        default=-7.0, ge=-40, lt=0, description="Smooth lower bound of log-scales; e^-7 is 0.0009."
    )
    max_log_scale: float = Field(
        default=2.0, gt=0, le=40, description="Smooth upper bound of log-scales; e^2 is 7.4."
    )

    def build(self, latent_dim: int) -> DiagonalGaussianPosterior:
        return DiagonalGaussianPosterior(latent_dim, self.min_log_scale, self.max_log_scale)
