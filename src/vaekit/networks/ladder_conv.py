"""A ladder of residual convolutions, for images.

Every stage halves the image on the way up and doubles it on the way down; at each resolution
there are as many layers of z as wished, each an image of a few channels. Outside, a layer is one
vector, like the layers of every other model.
"""

import math
from typing import Literal, NamedTuple

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator
from torch import nn

from vaekit.networks.attention import SelfAttention
from vaekit.networks.conv import doubling, image_sizes
from vaekit.networks.ladder import Ladder, PathUp, Rung
from vaekit.networks.layers import LayerSpec, zeros_
from vaekit.networks.residual_conv import ResidualBlock, activated


class Stage(NamedTuple):
    """One resolution."""

    channels: int
    size: tuple[int, int]
    layers: int


class LadderConvSpec(LayerSpec):
    """Choices of a ladder of residual convolutions."""

    kind: Literal["conv"] = "conv"
    channels: tuple[PositiveInt, ...] = Field(
        default=(32, 64), min_length=1, description="Channels per stage, from the image inwards."
    )
    layers: tuple[NonNegativeInt, ...] = Field(
        default=(1, 2),
        description="Layers of z per stage, from the image inwards; one at the last at least.",
    )
    latent_channels: PositiveInt = Field(default=4, description="Channels of every layer of z.")
    blocks: NonNegativeInt = Field(
        default=1, description="Residual blocks per layer of z, in each path."
    )
    attention: bool = Field(
        default=False, description="Self-attention at the smallest resolution, in each path."
    )

    @model_validator(mode="after")
    def _layers_fit(self) -> "LadderConvSpec":
        if len(self.layers) != len(self.channels):
            raise ValueError(
                f"channels has {len(self.channels)} stages, and layers has {len(self.layers)}; "
                "give both as many entries"
            )
        if self.layers[-1] == 0:
            raise ValueError("the last stage needs a layer of z: the top of the ladder is there")
        return self

    @property
    def depth(self) -> int:
        """Number of layers of z."""
        return sum(self.layers)

    def build(self, event_shape: tuple[int, ...], out_shape: tuple[int, ...]) -> Ladder:
        """The ladder for images of `event_shape`; its end has no output bias.

        Raises:
            SpecError: The examples are no images, or too small to be halved so often.
        """
        sizes = image_sizes(event_shape, len(self.channels))
        stages = list(map(Stage, self.channels, sizes[1:], self.layers))
        up, rungs = self._path_up(event_shape[0], stages), self._rungs(stages)
        out = self._out(stages[0], sizes[0], out_shape)
        self.initialize(nn.ModuleList([up, *rungs, out]))
        ladder = Ladder(up, rungs, out, (stages[-1].channels, *stages[-1].size))
        return ladder.settle()

    def initialize(self, network: nn.Module) -> None:
        super().initialize(network)
        for module in network.modules():
            if isinstance(module, ResidualBlock | SelfAttention):
                zeros_(module.last)

    def _path_up(self, channels: int, stages: list[Stage]) -> PathUp:
        steps: list[nn.Module] = []
        bridges: list[nn.Module] = []
        pending: list[nn.Module] = []
        for stage in stages:
            pending.append(nn.Conv2d(channels, stage.channels, 3, 2, 1))
            channels = stage.channels
            for _ in range(stage.layers):
                steps.append(nn.Sequential(*pending, *self._blocks(channels)))
                bridges.append(nn.Conv2d(channels, channels, 1))
                pending = []
        if self.attention:
            steps[-1] = nn.Sequential(steps[-1], SelfAttention(channels))
        return PathUp(steps, [*bridges[:-1], nn.Identity()])

    def _rungs(self, stages: list[Stage]) -> list[Rung]:
        rungs: list[Rung] = []
        for number in reversed(range(len(stages))):
            stage = stages[number]
            for left in reversed(range(stage.layers)):
                after = self._blocks(stage.channels)
                if not rungs and self.attention:
                    after.append(SelfAttention(stage.channels))
                if left == 0:
                    after += self._descent(stages, number)
                rungs.append(self._rung(stage, is_top=not rungs, after=after))
        return rungs

    def _descent(self, stages: list[Stage], number: int) -> list[nn.Module]:
        """To the next stage that has a layer, or to the first."""
        way: list[nn.Module] = []
        for above, stage in zip(stages[number:0:-1], stages[number - 1 :: -1], strict=False):
            way.append(doubling(above.channels, stage.channels, 3, stage.size))
            if stage.layers:
                break
        return way

    def _rung(self, stage: Stage, is_top: bool, after: list[nn.Module]) -> Rung:
        channels, shape = stage.channels, (self.latent_channels, *stage.size)
        # The feature of the top has come all the way; below, it still has to meet the state.
        meet = [] if is_top else [ResidualBlock(channels, self)]
        posterior = nn.Sequential(*meet, *self._head(channels))
        prior = None if is_top else nn.Sequential(*self._head(channels))
        into = nn.Sequential(nn.Unflatten(1, shape), nn.Conv2d(self.latent_channels, channels, 1))
        return Rung(math.prod(shape), posterior, prior, into, nn.Sequential(*after))

    def _head(self, channels: int) -> list[nn.Module]:
        """Parameters of a layer: all locations come first, as a vector of them wants it."""
        last = nn.Conv2d(channels, 2 * self.latent_channels, 1)
        return [*activated(channels, self), last, nn.Flatten()]

    def _out(
        self, stage: Stage, size: tuple[int, int], out_shape: tuple[int, ...]
    ) -> nn.Sequential:
        params, colours, *_ = out_shape
        last = doubling(stage.channels, params * colours, 3, size, bias=False)
        shape = (stage.channels, *stage.size)
        into = [nn.Unflatten(1, shape), *activated(stage.channels, self)]
        return nn.Sequential(*into, last, nn.Unflatten(1, (params, colours)))

    def _blocks(self, channels: int) -> list[nn.Module]:
        return [ResidualBlock(channels, self) for _ in range(self.blocks)]
