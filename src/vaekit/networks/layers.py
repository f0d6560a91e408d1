"""The choices inside every network: activation, normalisation, dropout, initialisation."""

import math
from collections.abc import Callable
from typing import Literal, TypeAlias, final

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from vaekit.spec import Spec

Activation: TypeAlias = Literal[
    "relu", "leaky_relu", "elu", "gelu", "silu", "softplus", "tanh", "gated"
]
Normalization: TypeAlias = Literal["none", "layer", "group", "batch"]
Initialization: TypeAlias = Literal["default", "xavier", "kaiming", "orthogonal"]


class Gated(nn.Module):
    """h * sigmoid(g), the two halves of its input along dimension 1.

    Reference:
        Dauphin et al. (2017), Language Modeling with Gated Convolutional Networks,
        https://arxiv.org/abs/1612.08083
    """

    def forward(
        self, value: Float[Tensor, "batch twice *rest"]
    ) -> Float[Tensor, "batch once *rest"]:
        return nn.functional.glu(value, dim=1)


@final
class Transposed(nn.Module):
    """A flat matrix of `rows` x `columns`, column by column instead of row by row."""

    def __init__(self, rows: int, columns: int) -> None:
        super().__init__()
        self.shape = (rows, columns)

    def forward(self, value: Float[Tensor, "batch numbers"]) -> Float[Tensor, "batch numbers"]:
        return value.unflatten(1, self.shape).mT.flatten(1)


_ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "softplus": nn.Softplus,
    "tanh": nn.Tanh,
    "gated": Gated,
}


class LayerSpec(Spec):
    """Choices that every hidden layer of a network shares."""

    activation: Activation = Field(
        default="relu", description="Non-linearity after each hidden layer."
    )
    normalization: Normalization = Field(default="none", description="Before the activation.")
    dropout: float = Field(
        default=0.0, ge=0.0, lt=1.0, description="Share of hidden units dropped."
    )
    initialization: Initialization = Field(default="default", description="Of weight matrices.")

    @property
    def widening(self) -> int:
        """How many outputs a layer must have for each unit that its activation keeps."""
        return 2 if self.activation == "gated" else 1

    @property
    def uses_batch_statistics(self) -> bool:
        return self.normalization == "batch"

    def finish(self, width: int, spatial: bool) -> list[nn.Module]:
        """What follows a linear or convolutional layer that leaves `width` units."""
        steps: list[nn.Module] = []
        if self.normalization != "none":
            steps.append(normalization(self.normalization, width * self.widening, spatial))
        steps.append(_ACTIVATIONS[self.activation]())
        if self.dropout:
            steps.append(nn.Dropout(self.dropout))
        return steps

    def initialize(self, network: nn.Module) -> None:
        """Draws every weight matrix of `network` anew, as chosen; biases start at zero."""
        if self.initialization == "default":
            return
        for module in network.modules():
            if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
                self._draw(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def _draw(self, weight: Tensor) -> None:
        if self.initialization == "xavier":
            nn.init.xavier_uniform_(weight)
        elif self.initialization == "orthogonal":
            nn.init.orthogonal_(weight)
        else:
            nn.init.kaiming_normal_(weight, nonlinearity="relu")


def normalization(kind: Normalization, width: int, spatial: bool) -> nn.Module:
    """A normalisation over `width` units; `spatial` for (batch, channels, height, width)."""
    if kind == "batch":
        return nn.BatchNorm2d(width) if spatial else nn.BatchNorm1d(width)
    if kind == "layer" and not spatial:
        return nn.LayerNorm(width)
    # Over channels, layer normalisation is group normalisation with a single group. A group
    # has four units at least: one on its own would always be normalised to zero.
    groups = math.gcd(8, width // 4) if kind == "group" and width % 4 == 0 else 1
    return nn.GroupNorm(groups, width)


def uses_batch_statistics(part: nn.Module | Spec) -> bool:
    """Whether one example's result depends on its neighbours in the batch while training.

    Batch normalisation makes it so, and whatever else says so by `uses_batch_statistics`.

    Args:
        part: What there is, or the choices it is built from.
    """
    if isinstance(part, Spec):
        return any(getattr(chosen, "uses_batch_statistics", False) for _, chosen in part)
    return any(
        isinstance(module, nn.modules.batchnorm._BatchNorm)
        or getattr(module, "uses_batch_statistics", False) is True
        for module in part.modules()
    )


def zeros_(layer: nn.Linear | nn.Conv2d) -> nn.Linear | nn.Conv2d:
    """Makes a layer start as zero: a residual block then starts as the identity."""
    with torch.no_grad():
        layer.weight.zero_()
        if layer.bias is not None:
            layer.bias.zero_()
    return layer


def over_samples(
    network: nn.Module, value: Float[Tensor, "samples batch *features"]
) -> Float[Tensor, "samples batch *answer"]:
    """What a network says of every sample of every example."""
    answer = network(value.flatten(0, 1))
    return answer.reshape(*value.shape[:2], *answer.shape[1:])
