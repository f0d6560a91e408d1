"""Learning-rate schedules: a factor on the optimiser's learning rate. Pick one.

Progress is counted in epochs, which may be fractional: the factor changes at every step.

Reference:
    Loshchilov and Hutter (2017), SGDR: Stochastic Gradient Descent with Warm Restarts,
    https://arxiv.org/abs/1608.03983
"""

import math
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, NonNegativeFloat, PositiveFloat

from vaekit.spec import Spec


class WarmupSpec(Spec):
    """What every schedule shares: a linear rise at the start."""

    warmup_epochs: NonNegativeFloat = Field(
        default=0.0, description="Epochs of linear rise from zero."
    )

    def rise(self, epoch: float) -> float:
        """The factor of the initial rise."""
        return 1.0 if epoch >= self.warmup_epochs else epoch / self.warmup_epochs


class ConstantSchedule(WarmupSpec):
    """The same learning rate throughout."""

    kind: Literal["constant"] = "constant"

    def factor(self, epoch: float, epochs: float) -> float:
        """Factor after `epoch` of `epochs` epochs."""
        return self.rise(epoch)


class CosineSchedule(WarmupSpec):
    """Half a cosine, from one down to `final`."""

    kind: Literal["cosine"] = "cosine"
    final: float = Field(default=0.01, ge=0.0, le=1.0, description="Factor at the end.")

    def factor(self, epoch: float, epochs: float) -> float:
        """Factor after `epoch` of `epochs` epochs."""
        return self.rise(epoch) * _cosine(epoch / epochs, self.final)


class WarmRestarts(WarmupSpec):
    """Half cosines one after another, each `growth` times as long as the one before."""

    kind: Literal["warm_restarts"] = "warm_restarts"
    period_epochs: PositiveFloat = Field(default=10.0, description="Length of the first cycle.")
    growth: float = Field(
        default=2.0, ge=1.0, description="Length of a cycle relative to the last."
    )
    final: float = Field(default=0.01, ge=0.0, le=1.0, description="Factor at the end of a cycle.")

    def factor(self, epoch: float, epochs: float) -> float:
        """Factor after `epoch` of `epochs` epochs."""
        period, start = self.period_epochs, 0.0
        while epoch >= start + period:
            start, period = start + period, period * self.growth
        return self.rise(epoch) * _cosine((epoch - start) / period, self.final)


class StepSchedule(WarmupSpec):
    """Multiplied by `decay` after every `every_epochs` epochs."""

    kind: Literal["step"] = "step"
    every_epochs: PositiveFloat = 10.0
    decay: float = Field(default=0.5, gt=0.0, le=1.0)

    def factor(self, epoch: float, epochs: float) -> float:
        """Factor after `epoch` of `epochs` epochs."""
        return self.rise(epoch) * self.decay ** math.floor(epoch / self.every_epochs)


def _cosine(progress: float, final: float) -> float:
    return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


ScheduleSpec: TypeAlias = Annotated[
    ConstantSchedule | CosineSchedule | WarmRestarts | StepSchedule, Field(discriminator="kind")
]
