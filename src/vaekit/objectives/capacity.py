"""The evidence lower bound with a KL term that is led to a set capacity.

    loss = -E_q[log p(x | z)] + gamma |KL(q(z | x) || p(z)) - C(t)|

C(t), in nats per example, grows in the course of training, so that the code takes up one factor of
variation after the other. KL is the batch's mean over all layers and dimensions; at C(t) = KL the
loss is the reconstruction alone. Only a capacity of nothing, with gamma of one or more, leaves
a bound.

Reference:
    Burgess et al. (2018), Understanding Disentangling in beta-VAE, eq. 8,
    https://arxiv.org/abs/1804.03599
"""

from typing import ClassVar, Literal, final

import torch
from pydantic import Field, NonNegativeFloat, PositiveInt

from vaekit.data import Observation, Statistics
from vaekit.models import Model, Noise
from vaekit.objectives.beta import BetaSpec, LinearBeta
from vaekit.objectives.elbo import mean_kl, reported_elbo
from vaekit.objectives.objective import Needs, Objective, Schedule, Terms
from vaekit.spec import Spec


@final
class Capacity(Objective):
    """The reconstruction, at a KL that is near the capacity.

    Args:
        capacity: C in the course of training, in nats.
        gamma: Weight of the distance from it.
        num_samples: Samples of z per example.
    """

    needs = Needs(density=True, continuous_latent=True)
    monitored = "elbo_nats"

    def __init__(self, capacity: BetaSpec, gamma: float, num_samples: int) -> None:
        super().__init__()
        self.capacity, self.gamma, self.num_samples = capacity, gamma, num_samples

    def schedule(self, epoch: float) -> dict[str, float]:
        return {"capacity_nats": self.capacity.at(epoch)}

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
        kl = mean_kl(inference)
        loss = self.gamma * (kl - schedule["capacity_nats"]).abs() - fit
        return Terms({"model": loss}, reported_elbo(fit, kl))


class CapacitySpec(Spec):
    """Choices of the ELBO with a set capacity."""

    needs: ClassVar[Needs] = Capacity.needs

    kind: Literal["capacity"] = "capacity"
    capacity: BetaSpec = Field(
        default=LinearBeta(end=25.0),
        description="C in nats: a number, or a schedule, with the kinds of objective.beta.",
    )
    gamma: NonNegativeFloat = Field(
        default=100.0, description="Weight of the KL's distance from C."
    )
    num_samples: PositiveInt = Field(default=1, description="Samples of z per example.")

    @property
    def is_bound(self) -> bool:
        """Whether minus the loss, once schedules have ended, bounds log p(x) from below."""
        return self.capacity.final == 0.0 and self.gamma >= 1.0

    def build(self, statistics: Statistics | None = None) -> Capacity:
        return Capacity(self.capacity, self.gamma, self.num_samples)
