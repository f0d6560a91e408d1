"""The way out: from latent codes to the numbers a likelihood is made of."""

from typing import final

from jaxtyping import Float
from torch import Tensor, nn

from vaekit.numerics import at_least_float32


@final
class Decoder(nn.Module):
    """Runs the decoder network and adds a learned output bias.

    The bias starts where the likelihood has the training data's moments, so that training
    does not spend its first steps on the mean image; it is added in float32.

    Args:
        network: From codes to parameters of the likelihood, without an output bias.
        initial_parameters: Where the bias starts.
    """

    def __init__(
        self, network: nn.Module, initial_parameters: Float[Tensor, "params *event"]
    ) -> None:
        super().__init__()
        self.network = network
        self.output_bias = nn.Parameter(initial_parameters.clone())

    def forward(self, z: Float[Tensor, "*lead features"]) -> Float[Tensor, "..."]:
        """Parameters of shape (*lead, params, *event), in float32 or wider."""
        flat = self.network(z.reshape(-1, z.shape[-1]))
        parameters = at_least_float32(flat) + self.output_bias
        return parameters.reshape(*z.shape[:-1], *self.output_bias.shape)
