"""The VampPrior: a mixture of what the encoder says of learned pseudo-inputs u_k.

    p(z) = 1/K sum_k q(z | u_k)

The aggregate posterior is the prior that maximises the ELBO; this is its likeness from K inputs
instead of all. They start as training examples and go wherever they like.

Reference:
    Tomczak and Welling (2018), VAE with a VampPrior, https://arxiv.org/abs/1705.07120
"""

from typing import Literal, final

import torch
from jaxtyping import Float
from pydantic import Field, PositiveInt
from torch import Tensor, nn
from torch.distributions import Distribution, Independent

from vaekit.data import Statistics
from vaekit.distributions import Gaussian, GaussianMixture
from vaekit.errors import SpecError
from vaekit.spec import Spec


@final
class VampPrior(nn.Module):
    """Pseudo-inputs, and the mixture that an encoder makes of them.

    Args:
        pseudo_inputs: Where they start.
        latent_dim: Number of latent dimensions.
    """

    def __init__(self, pseudo_inputs: Float[Tensor, "components *event"], latent_dim: int) -> None:
        super().__init__()
        self.pseudo_inputs = nn.Parameter(pseudo_inputs.clone())
        self.noise_size = latent_dim + 1

    def forward(self, encoded: Distribution) -> GaussianMixture:
        """The prior.

        Args:
            encoded: q(z | u) of all pseudo-inputs, diagonal Gaussians.
        """
        if not (isinstance(encoded, Independent) and isinstance(encoded.base_dist, Gaussian)):
            raise TypeError(f"a VampPrior is made of diagonal Gaussians, not of {encoded}")
        normals = encoded.base_dist
        equal = torch.zeros_like(normals.loc[:, 0])
        return GaussianMixture(equal, normals.loc, normals.log_scale)


class VampSpec(Spec):
    """Choices of a VampPrior."""

    kind: Literal["vamp"] = "vamp"
    components: PositiveInt = Field(default=500, description="Number of pseudo-inputs.")

    def check_conditions(self, num_conditions: int) -> None:
        """Refuses data that is conditioned on something."""
        if num_conditions:
            raise SpecError(
                "A VampPrior has no place for conditions: its pseudo-inputs have none.",
                where="model.prior.kind = 'vamp'",
                found="transform.condition",
                remedy="leave transform.condition out, or choose "
                "model.prior.kind = 'conditional_gaussian'",
            )

    def build(self, latent_dim: int, statistics: Statistics | None = None) -> VampPrior:
        """The prior, with training examples for pseudo-inputs.

        Raises:
            SpecError: There are fewer training examples, or examples are conditioned on something.
        """
        if statistics is None:
            raise SpecError("A VampPrior needs to see the training data.", where="model.prior")
        self.check_conditions(statistics.num_conditions)
        if statistics.examples is None:  # to be filled with trained ones
            return VampPrior(
                statistics.mean.expand(self.components, *statistics.mean.shape), latent_dim
            )
        if self.components > len(statistics.examples):
            raise SpecError(
                "A VampPrior has more pseudo-inputs than there are examples for them to start at.",
                where="model.prior.components",
                expected=f"at most {len(statistics.examples):,}",
                found=self.components,
                remedy=f"set model.prior.components to {len(statistics.examples)} or less",
            )
        spread = torch.linspace(0, len(statistics.examples) - 1, self.components).round().long()
        return VampPrior(statistics.examples[spread], latent_dim)
