"""What every posterior q(z | x) promises."""

from abc import ABC, abstractmethod

from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Distribution


class Posterior(nn.Module, ABC):
    """Builds q(z | x) from what the encoder says of each example.

    Args:
        latent_dim: Number of latent dimensions.
    """

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        self.latent_dim = latent_dim

    @property
    @abstractmethod
    def num_parameters(self) -> int:
        """How many outputs per example the encoder must have."""

    @abstractmethod
    def forward(self, parameters: Float[Tensor, "batch params"]) -> Distribution:
        """q(z | x), a factor with batch shape (batch,) and event shape (latent_dim,).

        Its scales are bounded smoothly, so that nothing overflows, whatever the encoder says.
        """
