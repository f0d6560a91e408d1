"""A mixture of Gaussians as prior, p(z) = sum_k w_k N(loc_k, diag(scale_k^2)), all of it learned.

Weights start equal, means scattered and scales such that every dimension starts with mean zero
and variance one, or nearly: as the standard normal prior has them.

Reference:
    Dilokthanakul et al. (2016), Deep Unsupervised Clustering with Gaussian Mixture Variational
    Autoencoders, https://arxiv.org/abs/1611.02648
"""

import math
from typing import Final, Literal, final

import torch
from jaxtyping import Float
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from vaekit.data import Statistics
from vaekit.distributions import GaussianMixture
from vaekit.numerics import inverse_smooth_bound, smooth_bound, smooth_range
from vaekit.spec import Spec

START_VARIANCE: Final = 0.5
"""Of each component, and of their means: together one."""
MOST_LOGIT: Final = 10.0
"""No weight falls below e^-20 of another: a component that lost all its mass gets no gradient."""


@final
class MixturePrior(nn.Module):
    """A Gaussian mixture with learned weights, means and scales, whatever the condition.

    Args:
        latent_dim: Number of latent dimensions.
        components: Number of Gaussians.
        min_log_scale: Below zero; log-scales stay above it.
        max_log_scale: Above zero; log-scales stay below it.
    """

    def __init__(
        self, latent_dim: int, components: int, min_log_scale: float, max_log_scale: float
    ) -> None:
        super().__init__()
        self.min_log_scale, self.max_log_scale = min_log_scale, max_log_scale
        self.logits = nn.Parameter(torch.zeros(components))
        self.loc = nn.Parameter(math.sqrt(START_VARIANCE) * torch.randn(components, latent_dim))
        start = max(0.5 * math.log(START_VARIANCE), 0.9 * min_log_scale)
        raw = inverse_smooth_bound(torch.tensor(start), -min_log_scale)
        self.raw_log_scale = nn.Parameter(raw.repeat(components, latent_dim))

    @property
    def noise_size(self) -> int:
        """Numbers of noise that one draw takes."""
        return self.loc.shape[1] + 1

    def forward(self, c: Float[Tensor, "batch conditions"] | None = None) -> GaussianMixture:
        log_scale = smooth_range(self.raw_log_scale, self.min_log_scale, self.max_log_scale)
        return GaussianMixture(smooth_bound(self.logits, MOST_LOGIT), self.loc, log_scale)


class MixtureSpec(Spec):
    """Choices of a Gaussian mixture prior."""

    kind: Literal["mixture"] = "mixture"
    components: PositiveInt = Field(default=100, description="Number of Gaussians.")
    min_log_scale: float = Field(
        default=-4.0, ge=-20, lt=0, description="Smooth lower bound of log-scales; e^-4 is 0.018."
    )
    max_log_scale: float = Field(
        default=2.0, gt=0, le=20, description="Smooth upper bound of log-scales; e^2 is 7.4."
    )

    def build(self, latent_dim: int, statistics: Statistics | None = None) -> MixturePrior:
        return MixturePrior(latent_dim, self.components, self.min_log_scale, self.max_log_scale)
