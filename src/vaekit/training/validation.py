"""What the objective says about held-out data, the same way at every time of training."""

import math
from collections.abc import Iterable

import torch

from vaekit.data import Observation
from vaekit.errors import DataError
from vaekit.models import Model
from vaekit.numerics import generator_for
from vaekit.objectives import Objective
from vaekit.training.machine import autocast
from vaekit.training.meter import Meter
from vaekit.training.spec import TrainingSpec


@torch.no_grad()
def validate(
    model: Model,
    objective: Objective,
    observations: Iterable[Observation],
    spec: TrainingSpec,
    seed: int,
) -> dict[str, float]:
    """The objective's terms with every schedule at its end, averaged over examples.

    Noise depends on `seed` and the number of the block alone, so that two calls differ by the
    weights and nothing else. Modules are in evaluation mode meanwhile.
    """
    modules = [model, objective]
    modes = [module.training for module in modules]
    meter, schedule = Meter(), objective.schedule(math.inf)
    for module in modules:
        module.eval()
    try:
        for block, observation in enumerate(observations):
            source = generator_for(seed, "validation", block, device=spec.device)
            with autocast(spec.device, spec.precision):
                terms = objective(model, observation, schedule, generator=source)
            values = {name: value.item() for name, value in terms.reported.items()}
            meter.add(values, weight=len(observation))
    finally:
        for module, mode in zip(modules, modes, strict=True):
            module.train(mode)
    if not meter.weight:
        raise DataError("The validation split is empty.")
    return meter.averages()
