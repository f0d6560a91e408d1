"""Hidden layers of a network as a space in which examples are compared."""

from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor, nn

Features: TypeAlias = tuple[Float[Tensor, "batch ..."], ...]


def hidden_layers(
    network: nn.Sequential, x: Float[Tensor, "batch *event"]
) -> tuple[Float[Tensor, "batch out"], Features]:
    """What a network makes of x, and what every layer with weights but the first is shown."""
    shown: list[Tensor] = []
    value: Tensor = x
    for layer in network:
        if isinstance(layer, nn.Linear | nn.Conv2d):
            shown.append(value)
        value = layer(value)
    return value, tuple(shown[1:])


def feature_error(here: Features, there: Features) -> Float[Tensor, " batch"]:
    """Half the squared distance of features, over all layers: -log N(here; there, 1) + const."""
    return torch.stack(
        [0.5 * (a - b).square().flatten(1).sum(1) for a, b in zip(here, there, strict=True)]
    ).sum(0)
