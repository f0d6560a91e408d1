"""Residual convolutional networks.

Every stage halves (or doubles) the image and then applies residual blocks of two
convolutions with pre-activation; what leaves the last block is activated once more. The second
convolution of a block starts at zero, so that a deep network starts as a shallow one.

A dense code is read off all of the image at once; a spatial code keeps its place: it is a small
image itself, channels of as many numbers as the last stage has pixels.

Reference:
    He et al. (2016), Identity Mappings in Deep Residual Networks,
    https://arxiv.org/abs/1603.05027
"""

import math
from typing import Literal, final

from jaxtyping import Float
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from vaekit.errors import SpecError
from vaekit.networks.conv import doubling, image_sizes
from vaekit.networks.layers import LayerSpec, zeros_


@final
class ResidualBlock(nn.Module):
    """x + conv(activation(conv(activation(x)))), with normalisation before each activation."""

    def __init__(self, channels: int, layers: LayerSpec) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            *activated(channels, layers),
            nn.Conv2d(channels, channels * layers.widening, 3, padding=1),
            *layers.finish(channels, spatial=True),
        )
        self.last = zeros_(nn.Conv2d(channels, channels, 3, padding=1))

    def forward(self, x: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch c h w"]:
        return x + self.last(self.inner(x))


def activated(channels: int, layers: LayerSpec) -> list[nn.Module]:
    """Activation of feature maps that no convolution has just made."""
    # A gate halves its channels, so they are widened before it.
    widen = [nn.Conv2d(channels, 2 * channels, 1)] if layers.widening > 1 else []
    return [*widen, *layers.finish(channels, spatial=True)]


class ResidualConvSpec(LayerSpec):
    """Choices of a residual convolutional network."""

    kind: Literal["residual_conv"] = "residual_conv"
    channels: tuple[PositiveInt, ...] = Field(
        default=(32, 64), min_length=1, description="Channels per stage, from the image inwards."
    )
    blocks: PositiveInt = Field(default=2, description="Residual blocks per stage.")
    code: Literal["dense", "spatial"] = Field(
        default="dense", description="Whether a code is read off the whole image, or a small image."
    )

    def build_encoder(self, event_shape: tuple[int, ...], out_features: int) -> nn.Sequential:
        """A network from images of `event_shape` to `out_features` numbers."""
        sizes = image_sizes(event_shape, len(self.channels))
        network = nn.Sequential()
        channels = event_shape[0]
        for width in self.channels:
            network.append(nn.Conv2d(channels, width, 3, 2, 1))
            network.extend(self._blocks(width))
            channels = width
        network.extend(activated(channels, self))
        if self.code == "spatial":
            planes = self.planes(event_shape, out_features)
            network.extend([nn.Conv2d(channels, planes, 3, padding=1), nn.Flatten()])
        else:
            network.append(nn.Flatten())
            network.append(nn.Linear(channels * math.prod(sizes[-1]), out_features))
        self.initialize(network)
        return network

    def build_decoder(self, in_features: int, out_shape: tuple[int, ...]) -> nn.Sequential:
        """A network from `in_features` numbers to `out_shape`, without an output bias."""
        params, *event_shape = out_shape
        sizes = image_sizes(tuple(event_shape), len(self.channels))
        channels = self.channels[-1]
        seed = (channels, *sizes[-1])
        if self.code == "spatial":
            planes = self.planes(tuple(event_shape), in_features)
            network = nn.Sequential(nn.Unflatten(1, (planes, *sizes[-1])))
            network.append(nn.Conv2d(planes, channels, 3, padding=1))
        else:
            network = nn.Sequential(nn.Linear(in_features, math.prod(seed)), nn.Unflatten(1, seed))
        network.extend(self._blocks(channels))
        for width, target in zip(self.channels[-2::-1], sizes[-2:0:-1], strict=True):
            network.append(doubling(channels, width, 3, target))
            network.extend(self._blocks(width))
            channels = width
        network.extend(activated(channels, self))
        values = params * event_shape[0]
        network.append(doubling(channels, values, 3, sizes[0], bias=False))
        network.append(nn.Unflatten(1, (params, event_shape[0])))
        self.initialize(network)
        return network

    def initialize(self, network: nn.Module) -> None:
        super().initialize(network)
        for module in network.modules():
            if isinstance(module, ResidualBlock):
                zeros_(module.last)

    def code_size(self, event_shape: tuple[int, ...]) -> tuple[int, int]:
        """Height and width of a spatial code."""
        return image_sizes(event_shape, len(self.channels))[-1]

    def planes(self, event_shape: tuple[int, ...], code: int) -> int:
        """Channels of a spatial code.

        Args:
            event_shape: Shape of the images.
            code: How many numbers it has.

        Raises:
            SpecError: They do not fill whole channels.
        """
        height, width = self.code_size(event_shape)
        pixels = height * width
        if code % pixels:
            raise SpecError(
                "A spatial code consists of whole channels.",
                where="model.latent_dim, with code = 'spatial'",
                expected=f"a multiple of {height} x {width} = {pixels}, and no condition",
                found=f"{code} numbers",
                remedy=f"set model.latent_dim = {max(1, round(code / pixels)) * pixels}, "
                "or choose code = 'dense'",
            )
        return code // pixels

    def _blocks(self, channels: int) -> list[nn.Module]:
        return [ResidualBlock(channels, self) for _ in range(self.blocks)]


def is_spatial(network: LayerSpec) -> bool:
    """Whether its code is a small image."""
    return isinstance(network, ResidualConvSpec) and network.code == "spatial"


def refuse_spatial(reason: str, **networks: LayerSpec) -> None:
    """For models that would tear a spatial code apart.

    Args:
        reason: Why they would.
        networks: Their networks, by the names of their settings.

    Raises:
        ValueError: One of them has such a code.
    """
    for name, network in networks.items():
        if is_spatial(network):
            raise ValueError(f"{name}.code = 'spatial' {reason}; choose {name}.code = 'dense'")
