"""The weight of the KL term in the course of training.

Epochs are counted in presentations of the whole training split and may be fractional.

References:
    Higgins et al. (2017), beta-VAE: Learning Basic Visual Concepts with a Constrained
    Variational Framework (a constant other than one)
    Sonderby et al. (2016), Ladder Variational Autoencoders, https://arxiv.org/abs/1602.02282
    (linear warm-up)
    Fu et al. (2019), Cyclical Annealing Schedule: A Simple Approach to Mitigating KL
    Vanishing, https://arxiv.org/abs/1903.10145
"""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, NonNegativeFloat, PositiveFloat, PositiveInt

from vaekit.spec import Spec


class ConstantBeta(Spec):
    """The same beta throughout."""

    kind: Literal["constant"] = "constant"
    value: NonNegativeFloat = Field(default=1.0, description="Weight of the KL term.")

    @property
    def final(self) -> float:
        """The value it settles at."""
        return self.value

    def at(self, epoch: float) -> float:
        """Beta after `epoch` epochs."""
        return self.value


class LinearBeta(Spec):
    """A straight line from `start` to `end`, constant from then on."""

    kind: Literal["linear"] = "linear"
    start: NonNegativeFloat = 0.0
    end: NonNegativeFloat = 1.0
    warmup_epochs: PositiveFloat = Field(default=10.0, description="Epochs until `end` is reached.")

    @property
    def final(self) -> float:
        return self.end

    def at(self, epoch: float) -> float:
        """Beta after `epoch` epochs."""
        return self.start + (self.end - self.start) * min(1.0, epoch / self.warmup_epochs)


class CyclicalBeta(Spec):
    """`cycles` repetitions of a linear warm-up, constant after the last.

    Within a cycle, beta rises for `rise` of the time and then stays at `end`.
    """

    kind: Literal["cyclical"] = "cyclical"
    start: NonNegativeFloat = 0.0
    end: NonNegativeFloat = 1.0
    cycles: PositiveInt = 4
    cycle_epochs: PositiveFloat = Field(default=10.0, description="Epochs per cycle.")
    rise: float = Field(default=0.5, gt=0.0, le=1.0, description="Share of a cycle spent rising.")

    @property
    def final(self) -> float:
        return self.end

    def at(self, epoch: float) -> float:
        """Beta after `epoch` epochs."""
        if epoch >= self.cycles * self.cycle_epochs:
            return self.end
        position = (epoch % self.cycle_epochs) / self.cycle_epochs
        return self.start + (self.end - self.start) * min(1.0, position / self.rise)


def _number_is_constant(value: Any) -> Any:
    """`beta = 4.0` is short for `beta = {kind = "constant", value = 4.0}`."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"kind": "constant", "value": value}
    return value


BetaSpec: TypeAlias = Annotated[
    Annotated[ConstantBeta | LinearBeta | CyclicalBeta, Field(discriminator="kind")],
    BeforeValidator(_number_is_constant),
]
