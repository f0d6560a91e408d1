"""The importance weighted bound.

    L_k = E[log 1/k sum_i p(x, z_i) / q(z_i | x)],    ELBO = L_1 <= L_k <= log p(x)

The bound itself is reported: the log of the mean weight. (Weighing the log-weights by their
normalised weights looks alike, has the right gradient, and is no bound.)

Reference:
    Burda, Grosse and Salakhutdinov (2015), Importance Weighted Autoencoders, eq. 8,
    https://arxiv.org/abs/1509.00519
"""

from typing import ClassVar, Literal, final

import torch
from jaxtyping import Float
from pydantic import Field, PositiveInt
from torch import Tensor

from vaekit.data import Observation, Statistics
from vaekit.models import Model, Noise
from vaekit.numerics import log_mean_exp
from vaekit.objectives.elbo import reported_elbo
from vaekit.objectives.objective import Needs, Objective, Schedule, Terms
from vaekit.spec import Spec


@final
class IWAE(Objective):
    """The bound from `num_samples` importance weighted samples."""

    needs = Needs(density=True, independent_examples=True, continuous_latent=True)
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
        log_ratio = inference.log_q() - inference.log_prior()
        return weighted_terms(inference.log_likelihood(), log_ratio)


def weighted_terms(
    fit: Float[Tensor, "samples batch"], log_ratio: Float[Tensor, "samples batch"]
) -> Terms:
    """The bound of the log-weights `fit - log_ratio`, and the ELBO of the same samples.

    Args:
        fit: log p(x | z).
        log_ratio: log q(z | x) - log p(z).
    """
    bound = log_mean_exp(fit - log_ratio).mean()
    reported = reported_elbo(fit.mean(), log_ratio.mean())
    return Terms({"model": -bound}, {**reported, "iwae_nats": bound.detach()})


class IWAESpec(Spec):
    """Choices of the importance weighted bound."""

    needs: ClassVar[Needs] = IWAE.needs
    is_bound: ClassVar[bool] = True

    kind: Literal["iwae"] = "iwae"
    num_samples: PositiveInt = Field(default=5, description="Samples k of z per example.")

    def build(self, statistics: Statistics | None = None) -> IWAE:
        return IWAE(self.num_samples)
