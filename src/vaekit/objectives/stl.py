"""The evidence lower bound, with the gradient that lands: sticking the landing.

    loss = -E_q[log p(x | z)] + beta E_q[log q(z | x) - log p(z)],    parameters of log q constant

The derivative of log q(z | x) by its own parameters has mean zero and is left out: gradients reach
the encoder through z alone. Where q is the exact posterior, log p(x, z) - log q(z | x) is the same
for every z, and the encoder's gradient is zero in every single draw; that of the ELBO with an
analytic KL is zero on average only.

Reference:
    Roeder, Wu and Duvenaud (2017), Sticking the Landing: Simple, Lower-Variance Gradient
    Estimators for Variational Inference, https://arxiv.org/abs/1703.09194
"""

from typing import ClassVar, Literal, final

import torch
from pydantic import Field, PositiveInt

from vaekit.data import Observation, Statistics
from vaekit.models import Model, Noise
from vaekit.objectives.beta import BetaSpec, ConstantBeta
from vaekit.objectives.elbo import reported_elbo
from vaekit.objectives.objective import Needs, Objective, Schedule, Terms
from vaekit.spec import Spec


@final
class STL(Objective):
    """The ELBO, whose encoder gradient has no variance at the exact posterior.

    Args:
        beta: Weight of the KL term in the course of training.
        num_samples: Samples of z per example.
    """

    needs = Needs(density=True, separate_layers=True, continuous_latent=True)
    monitored = "elbo_nats"

    def __init__(self, beta: BetaSpec, num_samples: int) -> None:
        super().__init__()
        self.beta, self.num_samples = beta, num_samples

    def schedule(self, epoch: float) -> dict[str, float]:
        return {"beta": self.beta.at(epoch)}

    def forward(
        self,
        model: Model,
        observation: Observation,
        schedule: Schedule,
        noise: Noise | None = None,
        generator: torch.Generator | None = None,
    ) -> Terms:
        inference = model.infer(observation, self.num_samples, noise, generator)
        fit = inference.log_likelihood().mean()
        log_ratio = inference.log_q(detach_parameters=True) - inference.log_prior()
        kl = log_ratio.mean()
        return Terms({"model": schedule["beta"] * kl - fit}, reported_elbo(fit, kl))


class STLSpec(Spec):
    """Choices of the ELBO with the gradient that lands."""

    needs: ClassVar[Needs] = STL.needs

    kind: Literal["stl"] = "stl"
    beta: BetaSpec = Field(default=ConstantBeta(), description="A number, or a schedule.")
    num_samples: PositiveInt = Field(default=1, description="Samples of z per example.")

    @property
    def is_bound(self) -> bool:
        """Whether minus the loss, once schedules have ended, bounds log p(x) from below."""
        return self.beta.final >= 1.0

    def build(self, statistics: Statistics | None = None) -> STL:
        return STL(self.beta, self.num_samples)
