"""Optimisers, by their published names. Pick one.

Reference:
    Kingma and Ba (2014), Adam: A Method for Stochastic Optimization,
    https://arxiv.org/abs/1412.6980
    Loshchilov and Hutter (2019), Decoupled Weight Decay Regularization,
    https://arxiv.org/abs/1711.05101
"""

from collections.abc import Iterable
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator
from torch import nn
from torch.optim import SGD, AdamW, Optimizer

from vaekit.spec import Spec


class AdamSpec(Spec):
    """Adam; with weight decay it is AdamW."""

    kind: Literal["adam"] = "adam"
    learning_rate: PositiveFloat = 1e-3
    beta1: float = Field(default=0.9, ge=0.0, lt=1.0, description="Decay of the gradient's mean.")
    beta2: float = Field(default=0.999, ge=0.0, lt=1.0, description="Decay of its mean square.")
    epsilon: PositiveFloat = 1e-8
    weight_decay: NonNegativeFloat = Field(default=0.0, description="Decoupled weight decay.")

    def build(self, parameters: Iterable[nn.Parameter]) -> Optimizer:
        return AdamW(
            parameters,
            lr=self.learning_rate,
            betas=(self.beta1, self.beta2),
            eps=self.epsilon,
            weight_decay=self.weight_decay,
            fused=True,
        )


class SGDSpec(Spec):
    """Stochastic gradient descent."""

    kind: Literal["sgd"] = "sgd"
    learning_rate: PositiveFloat = 1e-2
    momentum: float = Field(default=0.0, ge=0.0, lt=1.0)
    nesterov: bool = False
    weight_decay: NonNegativeFloat = 0.0

    @model_validator(mode="after")
    def _nesterov_has_momentum(self) -> "SGDSpec":
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov needs a momentum above 0, such as 0.9")
        return self

    def build(self, parameters: Iterable[nn.Parameter]) -> Optimizer:
        return SGD(
            parameters,
            lr=self.learning_rate,
            momentum=self.momentum,
            nesterov=self.nesterov,
            weight_decay=self.weight_decay,
        )


OptimizerSpec: TypeAlias = Annotated[AdamSpec | SGDSpec, Field(discriminator="kind")]
