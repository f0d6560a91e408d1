"""Objectives that misbehave as told, built on the ELBO of the small run."""

from collections.abc import Callable

import torch
from torch import Tensor
from training.small_run import STEPS_PER_EPOCH

from vaekit.data import Observation
from vaekit.models import Model, Noise
from vaekit.objectives import ELBOSpec, Objective, Schedule, Terms

Change = Callable[[int, Tensor, Model], Tensor]


class Scripted(Objective):
    """The ELBO, whose loss is changed in training.

    Args:
        change: Step (counted from zero), loss and model to the loss that is minimised.
    """

    needs, monitored, num_samples = ELBOSpec().needs, "elbo_nats", 1

    def __init__(self, change: Change) -> None:
        super().__init__()
        self.inner, self.change = ELBOSpec().build(), change

    def schedule(self, epoch: float) -> dict[str, float]:
        return {"epoch": epoch}

    def forward(
        self,
        model: Model,
        observation: Observation,
        schedule: Schedule,
        noise: Noise | None = None,
        generator: torch.Generator | None = None,
    ) -> Terms:
        terms = self.inner(model, observation, {"beta": 1.0}, noise, generator)
        if not model.training:
            return terms
        step = round(float(schedule["epoch"]) * STEPS_PER_EPOCH)
        return Terms({"model": self.change(step, terms.losses["model"], model)}, terms.reported)
