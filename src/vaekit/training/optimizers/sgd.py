"""Stochastic gradient descent.

With momentum m and rate r, the gradient g moves the weights w by

    v <- m v + g,    w <- w - r v,    or, with Nesterov's look ahead,    w <- w - r (g + m v)
"""

from collections.abc import Iterable, Mapping
from typing import Literal, final

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator
from torch import Tensor, nn

from vaekit.spec import Spec
from vaekit.training.optimizers.optimizer import Optimizer

# pyright: reportPrivateImportUsage=false
# What torch's own optimisers call: one kernel for all parameters at a time.


@final
class SGD(Optimizer):
    """Stochastic gradient descent, with momentum where there is some.

    Args:
        parameters: What is updated.
        spec: Rates.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], spec: "SGDSpec") -> None:
        super().__init__(parameters, spec.learning_rate)
        self._spec = spec
        self._velocities = [torch.zeros_like(p) for p in self.parameters] if spec.momentum else []

    @torch.no_grad()
    def step(self) -> None:
        spec = self._spec
        columns = self._with_gradients(*([self._velocities] if self._velocities else []))
        if not columns:
            return
        slopes, parameters, *velocities = columns
        if spec.weight_decay:
            slopes = list(torch._foreach_add(slopes, parameters, alpha=spec.weight_decay))
        if velocities:
            torch._foreach_mul_(velocities[0], spec.momentum)
            torch._foreach_add_(velocities[0], slopes)
            if spec.nesterov:
                slopes = list(torch._foreach_add(slopes, velocities[0], alpha=spec.momentum))
            else:
                slopes = velocities[0]
        torch._foreach_add_(parameters, slopes, alpha=-float(self.learning_rate))

    def _kept(self) -> Mapping[str, list[Tensor]]:
        return {"momentum_buffer": self._velocities} if self._velocities else {}


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

    def build(self, parameters: Iterable[nn.Parameter]) -> SGD:
        return SGD(parameters, self)
