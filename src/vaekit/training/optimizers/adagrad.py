"""Adagrad: steps that shrink where gradients were large.

Reference:
    Duchi, Hazan and Singer (2011), Adaptive Subgradient Methods for Online Learning and
    Stochastic Optimization, https://jmlr.org/papers/v12/duchi11a.html
"""

from collections.abc import Iterable, Mapping
from typing import Literal, final

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat
from torch import Tensor, nn

from vaekit.spec import Spec
from vaekit.training.optimizers.optimizer import Optimizer

# pyright: reportPrivateImportUsage=false
# What torch's own optimisers call: one kernel for all parameters at a time.


@final
class Adagrad(Optimizer):
    """Steps divided by the root of the sum of all squares so far.

    Args:
        parameters: What is updated.
        spec: Rates.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], spec: "AdagradSpec") -> None:
        super().__init__(parameters, spec.learning_rate)
        self._spec = spec
        self._sums = [torch.zeros_like(p) for p in self.parameters]
        self._steps = [torch.zeros(()) for _ in self.parameters]  # asked for, and of no effect

    @torch.no_grad()
    def step(self) -> None:
        spec = self._spec
        columns = self._with_gradients(self._sums, self._steps)
        if not columns:
            return
        slopes, parameters, sums, steps = columns
        if sums[0].device.type == "cpu":  # in one pass over the memory
            torch._fused_adagrad_(
                parameters,
                slopes,
                sums,
                steps,
                lr=float(self.learning_rate),
                lr_decay=0.0,
                weight_decay=spec.weight_decay,
                eps=spec.epsilon,
                maximize=False,
            )
            return
        if spec.weight_decay:
            slopes = list(torch._foreach_add(slopes, parameters, alpha=spec.weight_decay))
        torch._foreach_addcmul_(sums, slopes, slopes)
        lengths = torch._foreach_sqrt(sums)
        torch._foreach_add_(lengths, spec.epsilon)
        moves = torch._foreach_mul(slopes, -float(self.learning_rate))
        torch._foreach_addcdiv_(parameters, moves, lengths)

    def _kept(self) -> Mapping[str, list[Tensor]]:
        return {"sum": self._sums}


class AdagradSpec(Spec):
    """Adagrad, whose steps shrink for good where gradients were large."""

    kind: Literal["adagrad"] = "adagrad"
    learning_rate: PositiveFloat = 1e-2
    epsilon: PositiveFloat = 1e-10
    weight_decay: NonNegativeFloat = Field(default=0.0, description="Added to the gradient.")

    def build(self, parameters: Iterable[nn.Parameter]) -> Adagrad:
        return Adagrad(parameters, self)
