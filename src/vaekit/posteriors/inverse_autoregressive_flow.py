"""Inverse autoregressive flow as posterior: a diagonal Gaussian, bent by gated updates.

The encoder gives the Gaussian that the flow starts from, and a context h. In every layer, masked
networks see the dimensions before i, and h, and say how far dimension i goes towards a mean m_i:

    z_i <- g_i z_i + (1 - g_i) m_i,    g_i = sigmoid(s_i),    log |det| = sum_i log g_i

Layers see the dimensions in turn forwards and backwards. Of its own samples a flow knows the
density after one pass; of any other z it finds it by exact inversion, one dimension after the
other. s is bounded smoothly and starts at two: an open gate, nearly the diagonal Gaussian.

The flow has no closed form for its mean or its standard deviation. Embeddings are what noise of
zero becomes, the image of the Gaussian's mean.

Reference:
    Kingma et al. (2016), Improving Variational Inference with Inverse Autoregressive Flow,
    https://arxiv.org/abs/1606.04934
"""

from typing import Final, Literal, final

import torch
from jaxtyping import Float
from pydantic import Field, PositiveInt
from torch import Tensor, nn
from torch.distributions import Independent
from torch.nn.functional import logsigmoid

from vaekit.distributions import Bijection, Composition, Context, Flow, Gaussian, Mapped
from vaekit.numerics import at_least_float32, smooth_bound, smooth_range
from vaekit.posteriors.masked_network import MaskedNetwork
from vaekit.posteriors.posterior import Posterior
from vaekit.spec import Spec

MOST_GATE: Final = 5.0
"""A layer shrinks no dimension below 1 / (1 + e^5) = 0.0067 of itself."""
START_GATE: Final = 2.0


@final
class AutoregressiveUpdate(Bijection):
    """One gated update of every dimension, by those before it.

    Args:
        network: Gives m and s, before the bound.
        backwards: Whether "before" means after.
    """

    def __init__(self, network: MaskedNetwork, backwards: bool) -> None:
        super().__init__()
        self.network, self.backwards = network, backwards
        nn.init.zeros_(network.output.weight)
        nn.init.zeros_(network.output.bias)

    def forward(self, u: Float[Tensor, "*lead latent"], context: Context | None = None) -> Mapped:
        u = self._turned(u)
        mean, gate = self._update(u, self._told(context))
        z = torch.sigmoid(gate) * u + torch.sigmoid(-gate) * mean
        return self._turned(z), logsigmoid(gate).sum(-1)

    def inverse(self, z: Float[Tensor, "*lead latent"], context: Context | None = None) -> Mapped:
        z, told = self._turned(z), self._told(context)
        known: list[Tensor] = []
        log_gates: list[Tensor] = []
        for i in range(z.shape[-1]):
            # What stands in the places that are not known yet has no influence.
            u = torch.cat([*known, torch.zeros_like(z[..., i:])], dim=-1)
            mean, gate = (part[..., i : i + 1] for part in self._update(u, told))
            log_gates.append(logsigmoid(gate))
            known.append((z[..., i : i + 1] - torch.sigmoid(-gate) * mean) * (-log_gates[-1]).exp())
        return self._turned(torch.cat(known, dim=-1)), torch.cat(log_gates, dim=-1).sum(-1)

    def _update(self, u: Tensor, told: Tensor) -> tuple[Tensor, Tensor]:
        mean, raw = map(at_least_float32, self.network(u, told))
        return mean, smooth_bound(raw + START_GATE, MOST_GATE)

    def _told(self, context: Tensor | None) -> Tensor:
        if context is None:
            raise TypeError("an inverse autoregressive flow needs the encoder's context")
        return self.network.context(context)

    def _turned(self, value: Tensor) -> Tensor:
        return value.flip(-1) if self.backwards else value


@final
class InverseAutoregressiveFlowPosterior(Posterior):
    """Builds q(z | x) from encoder outputs.

    Args:
        latent_dim: Number of latent dimensions.
        context_features: How many encoder outputs the networks are told.
        updates: The layers of the flow.
        log_scale_range: Bounds of the log-scales of the Gaussian that the flow starts from.
    """

    def __init__(
        self,
        latent_dim: int,
        context_features: int,
        updates: list[AutoregressiveUpdate],
        log_scale_range: tuple[float, float],
    ) -> None:
        super().__init__(latent_dim)
        self.context_features, self.log_scale_range = context_features, log_scale_range
        self.bijection = Composition(updates)

    @property
    def num_parameters(self) -> int:
        return 2 * self.latent_dim + self.context_features

    def forward(self, parameters: Float[Tensor, "batch params"]) -> Flow:
        size = self.latent_dim
        loc, raw, context = at_least_float32(parameters).tensor_split((size, 2 * size), dim=-1)
        start = Gaussian(loc, smooth_range(raw, *self.log_scale_range))
        return Flow(Independent(start, 1, validate_args=False), self.bijection, context)


class InverseAutoregressiveFlowSpec(Spec):
    """Choices of an inverse autoregressive flow."""

    kind: Literal["inverse_autoregressive_flow"] = "inverse_autoregressive_flow"
    layers: PositiveInt = Field(default=2, description="Autoregressive updates.")
    hidden: tuple[PositiveInt, ...] = Field(
        default=(256,), min_length=1, description="Units per hidden layer of each update's network."
    )
    context: PositiveInt = Field(
        default=64, description="Encoder outputs that the networks are told, for each example."
    )
    min_log_scale: float = Field(
        default=-7.0, ge=-40, lt=0, description="Smooth lower bound of the start's log-scales."
    )
    max_log_scale: float = Field(
        default=2.0, gt=0, le=40, description="Smooth upper bound of the start's log-scales."
    )

    def build(self, latent_dim: int) -> InverseAutoregressiveFlowPosterior:
        networks = [
            MaskedNetwork(latent_dim, self.hidden, self.context) for _ in range(self.layers)
        ]
        return InverseAutoregressiveFlowPosterior(
            latent_dim,
            self.context,
            [AutoregressiveUpdate(network, i % 2 == 1) for i, network in enumerate(networks)],
            (self.min_log_scale, self.max_log_scale),
        )
