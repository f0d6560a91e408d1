"""Diagonal Gaussian posterior q(z | x) = N(loc(x), diag(scale(x)^2)).

The encoder gives loc and a raw log-scale; the raw value is bounded smoothly, so that
neither exp(log_scale) nor exp(-log_scale) can overflow, whatever the encoder says.

Reference:
    Kingma and Welling (2013), Auto-Encoding Variational Bayes, eq. 9,
    https://arxiv.org/abs/1312.6114
"""

from typing import Literal, final

from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.distributions import Independent

from vaekit.distributions import Gaussian
from vaekit.numerics import at_least_float32, smooth_bound
from vaekit.spec import Spec


@final
class DiagonalGaussianPosterior(nn.Module):
    """Builds q(z | x) from encoder outputs.

    Args:
        latent_dim: Number of latent dimensions.
        log_scale_limit: Log-scales stay inside plus and minus this, in nats.
    """

    def __init__(self, latent_dim: int, log_scale_limit: float) -> None:
        super().__init__()
        self.latent_dim, self.log_scale_limit = latent_dim, log_scale_limit

    @property
    def num_parameters(self) -> int:
        """How many outputs per example the encoder must have."""
        return 2 * self.latent_dim

    def forward(self, parameters: Float[Tensor, "batch params"]) -> Independent:
        loc, raw_log_scale = at_least_float32(parameters).chunk(2, dim=-1)
        log_scale = smooth_bound(raw_log_scale, self.log_scale_limit)
        return Independent(Gaussian(loc, log_scale), 1, validate_args=False)


class DiagonalGaussianSpec(Spec):
    """Choices of a diagonal Gaussian posterior."""

    kind: Literal["diagonal_gaussian"] = "diagonal_gaussian"
    log_scale_limit: float = Field(
        default=7.0, gt=0, le=40, description="Bound on |log scale|; e^7 is about 1100."
    )

    def build(self, latent_dim: int) -> DiagonalGaussianPosterior:
        return DiagonalGaussianPosterior(latent_dim, self.log_scale_limit)
