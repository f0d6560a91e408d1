"""The spike-and-slab prior: every dimension is off, all but, or as wide as a standard normal.

    p(z) = prod_i w N(z_i; 0, spike_scale^2) + (1 - w) N(z_i; 0, slab_scale^2)

Reference:
    Mathieu, Rainforth, Siddharth and Teh (2019), Disentangling Disentanglement in Variational
    Autoencoders, section 5.3 (the sparse prior), https://arxiv.org/abs/1812.02833
"""

import math
from typing import Literal, Self, final

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.distributions import Independent

from vaekit.data import Statistics
from vaekit.distributions import SpikeAndSlab
from vaekit.spec import Spec


@final
class SpikeAndSlabPrior(nn.Module):
    """p(z), whatever the condition.

    Args:
        latent_dim: Number of latent dimensions.
        spec: Widths and weights.
    """

    zeros: Tensor

    def __init__(self, latent_dim: int, spec: "SpikeAndSlabSpec") -> None:
        super().__init__()
        w = spec.spike_probability
        self._numbers = (
            math.log(w / (1 - w)),
            math.log(spec.spike_scale),
            math.log(spec.slab_scale),
        )
        self.register_buffer("zeros", torch.zeros(latent_dim), persistent=False)
        self.noise_size = 2 * latent_dim

    def forward(self, c: Float[Tensor, "batch conditions"] | None = None) -> Independent:
        parts = (torch.full_like(self.zeros, number) for number in self._numbers)
        return Independent(SpikeAndSlab(*parts), 1, validate_args=False)


class SpikeAndSlabSpec(Spec):
    """Choices of a spike-and-slab prior."""

    kind: Literal["spike_and_slab"] = "spike_and_slab"
    spike_probability: float = Field(
        default=0.8, ge=1e-6, le=1 - 1e-6, description="That a dimension is off."
    )
    spike_scale: float = Field(
        default=0.1, ge=1e-3, description="Standard deviation of a dimension that is off."
    )
    slab_scale: float = Field(
        default=1.0, le=1e3, description="Standard deviation of one that is not."
    )

    @model_validator(mode="after")
    def _spike_is_narrower(self) -> Self:
        if self.spike_scale >= self.slab_scale:
            raise ValueError(
                f"the spike, of scale {self.spike_scale:g}, is not narrower than the slab, "
                f"of scale {self.slab_scale:g}"
            )
        return self

    def build(self, latent_dim: int, statistics: Statistics | None = None) -> SpikeAndSlabPrior:
        return SpikeAndSlabPrior(latent_dim, self)
