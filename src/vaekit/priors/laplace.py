"""The Laplace prior: every dimension by itself, with a peak at zero and heavy tails.

    p(z) = prod_i exp(-|z_i| / b) / (2 b),    b = stddev / sqrt(2)

A code that is near zero in most dimensions and far from it in a few is more probable than under a
Gaussian of the same variance: codes become sparse. The KL of a Gaussian posterior is exact.

Reference:
    Olshausen and Field (1997), Sparse Coding with an Overcomplete Basis Set: A Strategy
    Employed by V1? (the prior)
"""

import math
from typing import Literal, final

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.distributions import Independent

from vaekit.data import Statistics
from vaekit.distributions import Laplace
from vaekit.spec import Spec


@final
class LaplacePrior(nn.Module):
    """p(z), whatever the condition.

    Args:
        latent_dim: Number of latent dimensions.
        stddev: Standard deviation of each.
    """

    zeros: Tensor

    def __init__(self, latent_dim: int, stddev: float) -> None:
        super().__init__()
        self.log_scale = math.log(stddev) - 0.5 * math.log(2)
        self.register_buffer("zeros", torch.zeros(latent_dim), persistent=False)

    def forward(self, c: Float[Tensor, "batch conditions"] | None = None) -> Independent:
        log_scale = torch.full_like(self.zeros, self.log_scale)
        return Independent(Laplace(self.zeros, log_scale), 1, validate_args=False)


class LaplaceSpec(Spec):
    """Choices of a Laplace prior."""

    kind: Literal["laplace"] = "laplace"
    stddev: float = Field(
        default=1.0, ge=1e-3, le=1e3, description="Standard deviation of every dimension."
    )

    def build(self, latent_dim: int, statistics: Statistics | None = None) -> LaplacePrior:
        return LaplacePrior(latent_dim, self.stddev)
