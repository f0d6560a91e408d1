"""A ladder of residual multi-layer perceptrons, for vectors and small images."""

import math
from typing import Literal, final

from jaxtyping import Float
from pydantic import Field, NonNegativeInt, PositiveInt
from torch import Tensor, nn

from vaekit.networks.ladder import Ladder, PathUp, Rung
from vaekit.networks.layers import LayerSpec, zeros_


@final
class ResidualMLPBlock(nn.Module):
    """x + linear(activation(linear(activation(x)))), normalised before each activation."""

    def __init__(self, width: int, layers: LayerSpec) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            *activated(width, layers),
            nn.Linear(width, width * layers.widening),
            *layers.finish(width, spatial=False),
        )
        self.last = zeros_(nn.Linear(width, width))

    def forward(self, x: Float[Tensor, "batch width"]) -> Float[Tensor, "batch width"]:
        return x + self.last(self.inner(x))


def activated(width: int, layers: LayerSpec) -> list[nn.Module]:
    """Activation of units that no linear map has just made."""
    # A gate halves its units, so they are widened before it.
    widen = [nn.Linear(width, 2 * width)] if layers.widening > 1 else []
    return [*widen, *layers.finish(width, spatial=False)]


class LadderMLPSpec(LayerSpec):
    """Choices of a ladder of multi-layer perceptrons."""

    kind: Literal["mlp"] = "mlp"
    latent_dims: tuple[PositiveInt, ...] = Field(
        default=(32, 16), min_length=1, description="Size of every layer of z, from x upwards."
    )
    width: PositiveInt = Field(default=256, description="Units of both paths.")
    blocks: NonNegativeInt = Field(
        default=1, description="Residual blocks per layer of z, in each path."
    )

    @property
    def depth(self) -> int:
        """Number of layers of z."""
        return len(self.latent_dims)

    def build(self, event_shape: tuple[int, ...], out_shape: tuple[int, ...]) -> Ladder:
        """The ladder for examples of `event_shape`; its end has no output bias."""
        top = len(self.latent_dims) - 1
        steps: list[nn.Module] = []
        stem: list[nn.Module] = [nn.Flatten(), nn.Linear(math.prod(event_shape), self.width)]
        for _ in self.latent_dims:
            steps.append(nn.Sequential(*stem, *self._blocks()))
            stem = []
        bridges: list[nn.Module] = [
            nn.Identity() if index == top else nn.Linear(self.width, self.width)
            for index in range(top + 1)
        ]
        sizes = list(enumerate(self.latent_dims))[::-1]
        rungs = [self._rung(size, is_top=index == top) for index, size in sizes]
        last = nn.Linear(self.width, math.prod(out_shape), bias=False)
        out = nn.Sequential(*activated(self.width, self), last, nn.Unflatten(1, out_shape))
        ladder = Ladder(PathUp(steps, bridges), rungs, out, (self.width,))
        self.initialize(nn.ModuleList([ladder.up, *ladder.rungs, ladder.out]))
        return ladder.settle()

    def initialize(self, network: nn.Module) -> None:
        super().initialize(network)
        for module in network.modules():
            if isinstance(module, ResidualMLPBlock):
                zeros_(module.last)

    def _rung(self, size: int, is_top: bool) -> Rung:
        # The feature of the top has come all the way; below, it still has to meet the state.
        meet = [] if is_top else [ResidualMLPBlock(self.width, self)]
        posterior = nn.Sequential(*meet, *self._head(size))
        prior = None if is_top else nn.Sequential(*self._head(size))
        into = nn.Sequential(nn.Linear(size, self.width))
        return Rung(size, posterior, prior, into, nn.Sequential(*self._blocks()))

    def _head(self, size: int) -> list[nn.Module]:
        return [*activated(self.width, self), nn.Linear(self.width, 2 * size)]

    def _blocks(self) -> list[nn.Module]:
        return [ResidualMLPBlock(self.width, self) for _ in range(self.blocks)]
