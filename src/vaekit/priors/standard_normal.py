"""The standard normal prior p(z) = N(0, I).

Reference:
    Kingma and Welling (2013), Auto-Encoding Variational Bayes,
    https://arxiv.org/abs/1312.6114
"""

from typing import Literal, final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Independent

from vaekit.data import Statistics
from vaekit.distributions import Gaussian
from vaekit.spec import Spec


@final
class StandardNormalPrior(nn.Module):
    """p(z) = N(0, I), whatever the condition."""

    zeros: Tensor

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        self.register_buffer("zeros", torch.zeros(latent_dim), persistent=False)

    def forward(self, c: Float[Tensor, "batch conditions"] | None = None) -> Independent:
        return Independent(Gaussian(self.zeros, self.zeros), 1, validate_args=False)


class StandardNormalSpec(Spec):
    """Choices of a standard normal prior: none."""

    kind: Literal["standard_normal"] = "standard_normal"

    def build(self, latent_dim: int, statistics: Statistics | None = None) -> StandardNormalPrior:
        return StandardNormalPrior(latent_dim)
