"""A network whose output i depends on inputs before i alone, and on a context (MADE).

Every unit has a degree: input i has degree i + 1, hidden units have degrees from 0 to D - 1,
output i has degree i + 1. A hidden unit listens to units of at most its own degree, an output to
those of a smaller one. The context reaches the first hidden layer, whatever the degree.

Hidden units are tanh, so that neither a z nor a context of any size leaves the numbers.

Reference:
    Germain et al. (2015), MADE: Masked Autoencoder for Distribution Estimation,
    https://arxiv.org/abs/1502.03509
"""

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear


@final
class MaskedLinear(nn.Linear):
    """A linear layer in which some weights are held at zero.

    Args:
        mask: Which weights are not, shape (out_features, in_features).
    """

    mask: Tensor

    def __init__(self, mask: Float[Tensor, "out_features in_features"]) -> None:
        super().__init__(mask.shape[1], mask.shape[0])
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, input: Float[Tensor, "*lead in_features"]) -> Tensor:
        return linear(input, self.mask * self.weight, self.bias)


@final
class MaskedNetwork(nn.Module):
    """Two numbers for every dimension of z, from the dimensions before it and a context.

    Args:
        latent_dim: Number of dimensions D.
        hidden: Units of each hidden layer, one layer at least.
        context_features: Size of the context.
    """

    def __init__(self, latent_dim: int, hidden: tuple[int, ...], context_features: int) -> None:
        super().__init__()
        self.context = nn.Linear(context_features, hidden[0], bias=False)
        self.layers = nn.ModuleList()
        degrees = torch.arange(1, latent_dim + 1)
        for width in hidden:
            wider = torch.arange(width) % latent_dim
            self.layers.append(MaskedLinear((wider.unsqueeze(1) >= degrees).float()))
            degrees = wider
        out = torch.arange(1, latent_dim + 1).repeat(2)
        self.output = MaskedLinear((out.unsqueeze(1) > degrees).float())

    def forward(
        self, z: Float[Tensor, "*lead latent"], told: Float[Tensor, "*batch units"]
    ) -> tuple[Tensor, Tensor]:
        """The two numbers of every dimension.

        Args:
            z: Where.
            told: The context, as `context` passes it on: once for any number of calls.
        """
        first, *rest = self.layers
        hidden = torch.tanh(first(z) + told)
        for layer in rest:
            hidden = torch.tanh(layer(hidden))
        one, other = self.output(hidden).chunk(2, dim=-1)
        return one, other
