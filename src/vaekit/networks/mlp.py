"""Multi-layer perceptrons; with no hidden layer, linear maps."""

import math
from typing import Literal

from pydantic import Field, PositiveInt
from torch import nn

from vaekit.networks.layers import LayerSpec


class MLPSpec(LayerSpec):
    """Choices of a multi-layer perceptron."""

    kind: Literal["mlp"] = "mlp"
    hidden: tuple[PositiveInt, ...] = Field(
        default=(400, 400), description="Units per hidden layer, from input to output."
    )

    def build_encoder(self, event_shape: tuple[int, ...], out_features: int) -> nn.Sequential:
        """A network from examples of `event_shape` to `out_features` numbers."""
        network = nn.Sequential(nn.Flatten(), *self._layers(math.prod(event_shape)))
        network.append(nn.Linear(self._width(math.prod(event_shape)), out_features))
        self.initialize(network)
        return network

    def build_decoder(self, in_features: int, out_shape: tuple[int, ...]) -> nn.Sequential:
        """A network from `in_features` numbers to `out_shape`, without an output bias.

        The bias is left to the caller, who starts it at the data's mean.
        """
        last = nn.Linear(self._width(in_features), math.prod(out_shape), bias=False)
        network = nn.Sequential(*self._layers(in_features), last, nn.Unflatten(1, out_shape))
        self.initialize(network)
        return network

    def _width(self, in_features: int) -> int:
        return self.hidden[-1] if self.hidden else in_features

    def _layers(self, in_features: int) -> list[nn.Module]:
        layers: list[nn.Module] = []
        for width in self.hidden:
            layers.append(nn.Linear(in_features, width * self.widening))
            layers += self.finish(width, spatial=False)
            in_features = width
        return layers
