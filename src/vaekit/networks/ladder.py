"""The two paths of a ladder: one up from x, one down to x, with a rung for every layer of z.

The path up is deterministic and leaves a feature for each layer. The path down carries a state,
which starts as a learned constant and takes in the sample of one layer after the other:

    state <- after(state + into(z_l))

Generation and inference share it. What p(z_l | z above) is follows from the state; what
q(z_l | x, z above) is, from the state and the feature. Whatever is residual starts as the
identity, p starts as the standard normal, and what samples add to the state is scaled by
1 / sqrt(depth), so that a deep ladder starts as calmly as a shallow one.

References:
    Sonderby et al. (2016), Ladder Variational Autoencoders, https://arxiv.org/abs/1602.02282
    Child (2020), Very Deep VAEs Generalize Autoregressive Models and Can Outperform Them on
    Images, https://arxiv.org/abs/2011.10650
"""

import math
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaekit.networks.layers import over_samples, zeros_


@final
class PathUp(nn.Module):
    """From x to a feature for each layer, the top first.

    Args:
        steps: Networks from x upwards, each of which goes on where the last one ended.
        bridges: What becomes of the end of each step, from x upwards.
    """

    def __init__(self, steps: list[nn.Module], bridges: list[nn.Module]) -> None:
        super().__init__()
        self.steps, self.bridges = nn.ModuleList(steps), nn.ModuleList(bridges)

    def forward(self, x: Float[Tensor, "batch *event"]) -> tuple[Float[Tensor, "batch ..."], ...]:
        features: list[Tensor] = []
        for step, bridge in zip(self.steps, self.bridges, strict=True):
            x = step(x)
            features.append(bridge(x))
        return tuple(reversed(features))


@final
class Rung(nn.Module):
    """One layer's part of the path down.

    Args:
        latent_dim: Size of the layer.
        posterior: Feature, or state and feature added, to parameters of q.
        prior: State to parameters of p; absent at the top, whose prior is chosen by itself.
        into: z to what is added to the state.
        after: What then becomes of the state.
    """

    def __init__(
        self,
        latent_dim: int,
        posterior: nn.Module,
        prior: nn.Sequential | None,
        into: nn.Sequential,
        after: nn.Module,
    ) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.posterior, self.prior, self.into, self.after = posterior, prior, into, after

    def forward(
        self, state: Float[Tensor, "samples batch *state"], z: Float[Tensor, "samples batch latent"]
    ) -> Float[Tensor, "samples batch ..."]:
        """The state below, given the state here and the sample of the layer."""
        return over_samples(self.after, state + over_samples(self.into, z))


@final
@dataclass(frozen=True)
class Ladder:
    """What a ladder is made of.

    Args:
        up: The path up.
        rungs: The path down, the top first.
        out: From the last state, flat, to parameters of the likelihood, without an output bias.
        state: Shape of the first state.
    """

    up: PathUp
    rungs: list[Rung]
    out: nn.Sequential
    state: tuple[int, ...]

    def settle(self) -> "Ladder":
        """The same ladder with p at the standard normal and samples scaled by the depth."""
        for rung in self.rungs:
            if rung.prior is not None:
                maps = [layer for layer in rung.prior if isinstance(layer, nn.Linear | nn.Conv2d)]
                zeros_(maps[-1])
            with torch.no_grad():
                for weight in rung.into.parameters():
                    weight.mul_(1 / math.sqrt(len(self.rungs)))
        return self
