"""A RealNVP flow as prior: what affine coupling layers make of standard normal noise.

A layer keeps one half of its input and scales and shifts the other by what a network says of
the kept half; the next layer keeps the other half:

    z_kept = u_kept,    z_changed = exp(log_scale(u_kept)) * u_changed + shift(u_kept)

Both ways take one pass. The last weights of every network start at zero and log-scales are
bounded smoothly: the prior starts as the standard normal, and no exponential overflows.

References:
    Dinh, Sohl-Dickstein and Bengio (2017), Density estimation using Real NVP,
    https://arxiv.org/abs/1605.08803
"""

from itertools import pairwise
from typing import Literal, final

import torch
from jaxtyping import Float
from pydantic import Field, PositiveInt
from torch import Tensor, nn
from torch.distributions import Independent

from vaekit.data import Statistics
from vaekit.distributions import Bijection, Composition, Context, Flow, Gaussian, Mapped
from vaekit.errors import SpecError
from vaekit.numerics import at_least_float32, smooth_bound
from vaekit.spec import Spec


@final
class AffineCoupling(Bijection):
    """Scales and shifts one half of a vector by what the other half says.

    Args:
        latent_dim: Size of the vector, two at least.
        hidden: Units of each hidden layer of the network.
        keeps_first: Whether the first half is kept, and the second changed.
        max_log_scale: Log-scales stay within it, on both sides of zero.
    """

    def __init__(
        self, latent_dim: int, hidden: tuple[int, ...], keeps_first: bool, max_log_scale: float
    ) -> None:
        super().__init__()
        self.keeps_first, self.max_log_scale = keeps_first, max_log_scale
        self.sizes = (latent_dim // 2, latent_dim - latent_dim // 2)
        kept, changed = self.sizes if keeps_first else self.sizes[::-1]
        self.network = nn.Sequential()
        for width, wider in pairwise((kept, *hidden)):
            self.network.extend([nn.Linear(width, wider), nn.SiLU()])
        last = nn.Linear(hidden[-1] if hidden else kept, 2 * changed)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.network.append(last)

    def forward(self, u: Float[Tensor, "*lead latent"], context: Context | None = None) -> Mapped:
        kept, changed = self._halves(u)
        shift, log_scale = self._affine(kept)
        return self._joined(kept, log_scale.exp() * changed + shift), log_scale.sum(-1)

    def inverse(self, z: Float[Tensor, "*lead latent"], context: Context | None = None) -> Mapped:
        kept, changed = self._halves(z)
        shift, log_scale = self._affine(kept)
        return self._joined(kept, (-log_scale).exp() * (changed - shift)), log_scale.sum(-1)

    def _affine(self, kept: Tensor) -> tuple[Tensor, Tensor]:
        shift, raw = at_least_float32(self.network(kept)).chunk(2, dim=-1)
        return shift, smooth_bound(raw, self.max_log_scale)

    def _halves(self, value: Tensor) -> tuple[Tensor, Tensor]:
        first, second = value.split(self.sizes, dim=-1)
        return (first, second) if self.keeps_first else (second, first)

    def _joined(self, kept: Tensor, changed: Tensor) -> Tensor:
        return torch.cat((kept, changed) if self.keeps_first else (changed, kept), dim=-1)


@final
class RealNVPPrior(nn.Module):
    """p(z) of a flow from standard normal noise, whatever the condition.

    Args:
        latent_dim: Number of latent dimensions.
        couplings: The layers, in the order in which noise meets them.
    """

    zeros: Tensor

    def __init__(self, latent_dim: int, couplings: list[AffineCoupling]) -> None:
        super().__init__()
        self.register_buffer("zeros", torch.zeros(latent_dim), persistent=False)
        self.bijection = Composition(couplings)

    def forward(self, c: Float[Tensor, "batch conditions"] | None = None) -> Flow:
        base = Independent(Gaussian(self.zeros, self.zeros), 1, validate_args=False)
        return Flow(base, self.bijection)


class RealNVPSpec(Spec):
    """Choices of a RealNVP prior."""

    kind: Literal["real_nvp"] = "real_nvp"
    layers: PositiveInt = Field(default=8, description="Affine coupling layers.")
    hidden: tuple[PositiveInt, ...] = Field(
        default=(128, 128), description="Units per hidden layer of each coupling's network."
    )
    max_log_scale: float = Field(
        default=2.0, gt=0, le=10, description="Smooth bound of one layer's log-scales."
    )

    def check_size(self, latent_dim: int) -> None:
        """Refuses a layer with no two halves to couple."""
        if latent_dim < 2:
            raise SpecError(
                "A RealNVP prior couples one half of z to the other, so it needs two dimensions.",
                where="model.prior.kind = 'real_nvp'",
                expected="2 or more latent dimensions, of several layers in the top one",
                found=latent_dim,
                remedy="choose more dimensions, or model.prior.kind = 'mixture'",
            )

    def build(self, latent_dim: int, statistics: Statistics | None = None) -> RealNVPPrior:
        """The flow.

        Raises:
            SpecError: There are no two halves to couple.
        """
        self.check_size(latent_dim)
        return RealNVPPrior(
            latent_dim,
            [
                AffineCoupling(latent_dim, self.hidden, layer % 2 == 0, self.max_log_scale)
                for layer in range(self.layers)
            ],
        )
