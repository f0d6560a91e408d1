"""The way out: from latent codes to the numbers a likelihood is made of."""

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaekit.models.encoder import needed
from vaekit.numerics import at_least_float32


@final
class Decoder(nn.Module):
    """Runs the decoder network and adds a learned output bias.

    The bias starts where the likelihood has the training data's moments, so that training
    does not spend its first steps on the mean image; it is added in float32.

    Under a condition the network's input is z and c, side by side.

    Args:
        network: From codes, and conditions, to parameters of the likelihood, without an output
            bias.
        initial_parameters: Where the bias starts.
        num_conditions: Size of c.
    """

    def __init__(
        self,
        network: nn.Module,
        initial_parameters: Float[Tensor, "params *event"],
        num_conditions: int = 0,
    ) -> None:
        super().__init__()
        self.network, self.num_conditions = network, num_conditions
        self.output_bias = nn.Parameter(initial_parameters.clone())

    def forward(
        self,
        z: Float[Tensor, "*lead features"],
        c: Float[Tensor, "batch conditions"] | None = None,
    ) -> Float[Tensor, "..."]:
        """Parameters of shape (*lead, params, *event), in float32 or wider.

        Args:
            z: Codes; the last of the leading dimensions is the example.
            c: Conditions, one row per example.
        """
        if self.num_conditions:
            told = needed(c, self.num_conditions).to(z.dtype)
            z = torch.cat([z, told.expand(*z.shape[:-1], -1)], dim=-1)
        flat = self.network(z.reshape(-1, z.shape[-1]))
        parameters = at_least_float32(flat) + self.output_bias
        return parameters.reshape(*z.shape[:-1], *self.output_bias.shape)
