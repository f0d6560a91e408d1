"""Convolutional networks: each layer halves the image (encoder) or doubles it (decoder)."""

import math
from typing import Literal

from pydantic import Field, PositiveInt, field_validator
from torch import nn

from vaekit.errors import SpecError
from vaekit.networks.layers import LayerSpec


def image_sizes(event_shape: tuple[int, ...], layers: int) -> list[tuple[int, int]]:
    """Height and width before the first and after each of `layers` halvings.

    Raises:
        SpecError: The examples are no images, or too small to be halved so often.
    """
    if len(event_shape) != 3:
        raise SpecError(
            "Convolutional networks need images.",
            where="a network of convolutions, of the model or of its objective",
            expected="examples of shape (channels, height, width)",
            found=f"shape {event_shape}",
            remedy="choose kind = 'mlp' for it (of the objectives vae_gan and feature_loss, too)",
        )
    sizes = [(event_shape[1], event_shape[2])]
    for _ in range(layers):
        height, width = sizes[-1]
        if min(height, width) < 2:
            raise SpecError(
                f"An image of {event_shape[1]} x {event_shape[2]} pixels cannot be halved "
                f"{layers} times.",
                where="channels of a network of convolutions",
                expected=f"at most {len(sizes) - 1} entries",
                found=f"{layers} entries",
                remedy="give fewer channels, or choose kind = 'mlp'",
            )
        sizes.append((math.ceil(height / 2), math.ceil(width / 2)))
    return sizes


def doubling(
    channels_in: int, channels_out: int, kernel: int, target: tuple[int, int], bias: bool = True
) -> nn.ConvTranspose2d:
    """A transposed convolution that undoes a halving, back to exactly `target` pixels."""
    # With padding kernel // 2 the output has 2 * in - 1 + output_padding pixels.
    height, width = target
    return nn.ConvTranspose2d(
        channels_in,
        channels_out,
        kernel,
        2,
        kernel // 2,
        output_padding=(1 - height % 2, 1 - width % 2),
        bias=bias,
    )


class ConvSpec(LayerSpec):
    """Choices of a convolutional network."""

    kind: Literal["conv"] = "conv"
    channels: tuple[PositiveInt, ...] = Field(
        default=(32, 64), min_length=1, description="Channels per layer, from the image inwards."
    )
    kernel_size: PositiveInt = Field(default=5, description="Side of every kernel, an odd number.")
    hidden: PositiveInt = Field(
        default=256, description="Units of the dense layer at the code's end."
    )

    @field_validator("kernel_size")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError(f"must be odd, found {value}")
        return value

    def build_encoder(self, event_shape: tuple[int, ...], out_features: int) -> nn.Sequential:
        """A network from images of `event_shape` to `out_features` numbers."""
        sizes = image_sizes(event_shape, len(self.channels))
        network = nn.Sequential()
        channels = event_shape[0]
        for width in self.channels:
            wide = width * self.widening
            network.append(nn.Conv2d(channels, wide, self.kernel_size, 2, self.kernel_size // 2))
            network.extend(self.finish(width, spatial=True))
            channels = width
        network.append(nn.Flatten())
        network.append(nn.Linear(channels * math.prod(sizes[-1]), self.hidden * self.widening))
        network.extend(self.finish(self.hidden, spatial=False))
        network.append(nn.Linear(self.hidden, out_features))
        self.initialize(network)
        return network

    def build_decoder(self, in_features: int, out_shape: tuple[int, ...]) -> nn.Sequential:
        """A network from `in_features` numbers to `out_shape`, without an output bias."""
        params, *event_shape = out_shape
        sizes = image_sizes(tuple(event_shape), len(self.channels))
        channels = self.channels[-1]
        seed = (channels * self.widening, *sizes[-1])
        network = nn.Sequential(nn.Linear(in_features, self.hidden * self.widening))
        network.extend(self.finish(self.hidden, spatial=False))
        network.extend([nn.Linear(self.hidden, math.prod(seed)), nn.Unflatten(1, seed)])
        network.extend(self.finish(channels, spatial=True))
        for width, target in zip(self.channels[-2::-1], sizes[-2:0:-1], strict=True):
            network.append(doubling(channels, width * self.widening, self.kernel_size, target))
            network.extend(self.finish(width, spatial=True))
            channels = width
        values = params * event_shape[0]
        network.append(doubling(channels, values, self.kernel_size, sizes[0], bias=False))
        network.append(nn.Unflatten(1, (params, event_shape[0])))
        self.initialize(network)
        return network
