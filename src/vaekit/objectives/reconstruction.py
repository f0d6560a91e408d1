"""The expected log-likelihood alone: what a deterministic autoencoder maximises.

With a VAE this is the ELBO at beta = 0: codes spread without limit, and it bounds nothing.
"""

from typing import ClassVar, Literal, final

import torch

from vaekit.data import Observation, Statistics
from vaekit.models import Model, Noise
from vaekit.objectives.objective import Needs, Objective, Schedule, Terms
from vaekit.spec import Spec


@final
class Reconstruction(Objective):
    """E_q[log p(x | z)], without a KL term."""

    needs = Needs()
    monitored = "expected_log_likelihood_nats"
    num_samples = 1

    def forward(
        self,
        model: Model,
        observation: Observation,
        schedule: Schedule,
        noise: Noise | None = None,
        generator: torch.Generator | None = None,
    ) -> Terms:
        inference = model.infer(observation, 1, noise, generator)
        fit = inference.log_likelihood().mean()
        reported = {"expected_log_likelihood_nats": fit.detach(), **inference.reported}
        return Terms({"model": inference.penalty - fit}, reported)


class ReconstructionSpec(Spec):
    """Choices of the reconstruction objective: none."""

    needs: ClassVar[Needs] = Reconstruction.needs
    is_bound: ClassVar[bool] = False

    kind: Literal["reconstruction"] = "reconstruction"

    def build(self, statistics: Statistics | None = None) -> Reconstruction:
        return Reconstruction()
