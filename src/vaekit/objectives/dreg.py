"""The importance weighted bound, with the doubly reparameterised gradient for the encoder.

    L_k = E[log 1/k sum_i w_i],    w_i = p(x, z_i) / q(z_i | x),    v_i = w_i / sum_j w_j
    gradient of the encoder:       E[sum_i v_i^2  (d log w_i / d z_i) (d z_i / d parameters)]
    gradient of decoder and prior: E[sum_i v_i    d log p(x, z_i) / d parameters]

Both have the expectation of IWAE's gradient, and the second is that gradient. The first leaves
out a term of mean zero whose noise drowns IWAE's encoder gradient as k grows. The bound has v_i
as its derivative by log w_i, so that the second v_i is all there is to add: it is put on the
gradient where that passes through z_i, which makes one backward pass of the usual cost.

What depends on the encoder in another way than through z (a prior made of encoded examples)
gets the usual gradient, which is right. Where the q of one layer depends on the z of another, it
would pass through two of them; such models are refused (they need Bauer and Mnih (2021),
Generalized Doubly Reparameterized Gradient Estimators).

Reference:
    Tucker, Lawson, Gu and Maddison (2018), Doubly Reparameterized Gradient Estimators for Monte
    Carlo Objectives, eq. 8, https://arxiv.org/abs/1810.04152
"""

from typing import ClassVar, Literal, final

import torch
from jaxtyping import Float
from pydantic import Field, PositiveInt
from torch import Tensor

from vaekit.data import Observation, Statistics
from vaekit.models import Model, Noise
from vaekit.objectives.iwae import weighted_terms
from vaekit.objectives.objective import Needs, Objective, Schedule, Terms
from vaekit.spec import Spec


@final
class DReG(Objective):
    """The importance weighted bound, whose encoder gradient has less variance."""

    needs = Needs(
        density=True, independent_examples=True, separate_layers=True, continuous_latent=True
    )
    in_one_piece = True  # or the hook on z comes too late for what the decoder sends back
    monitored = "iwae_nats"

    def __init__(self, num_samples: int) -> None:
        super().__init__()
        self.num_samples = num_samples

    def forward(
        self,
        model: Model,
        observation: Observation,
        schedule: Schedule,
        noise: Noise | None = None,
        generator: torch.Generator | None = None,
    ) -> Terms:
        inference = model.infer(observation, self.num_samples, noise, generator)
        fit = inference.log_likelihood()
        log_ratio = inference.log_q(detach_parameters=True) - inference.log_prior()
        shares = (fit - log_ratio).detach().softmax(0)
        for layer in inference.z:
            _weigh_gradient(layer, shares)
        return weighted_terms(fit, log_ratio)


def _weigh_gradient(
    z: Float[Tensor, "samples batch *latent"], shares: Float[Tensor, "samples batch"]
) -> None:
    """Multiplies the gradient that passes through z by each sample's share."""
    if z.requires_grad:  # not in validation
        factor = shares.reshape(*shares.shape, *[1] * (z.ndim - shares.ndim))
        z.register_hook(lambda gradient: gradient * factor)


class DReGSpec(Spec):
    """Choices of the doubly reparameterised bound."""

    needs: ClassVar[Needs] = DReG.needs
    is_bound: ClassVar[bool] = True

    kind: Literal["dreg"] = "dreg"
    num_samples: PositiveInt = Field(default=5, description="Samples k of z per example.")

    def build(self, statistics: Statistics | None = None) -> DReG:
        return DReG(self.num_samples)
