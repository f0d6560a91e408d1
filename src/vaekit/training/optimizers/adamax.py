"""Adamax: Adam, measured by the largest gradient.

Reference:
    Kingma and Ba (2014), Adam: A Method for Stochastic Optimization, algorithm 2,
    https://arxiv.org/abs/1412.6980
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
class Adamax(Optimizer):
    """Adam with the largest recent gradient in place of the root of the mean square.

    Args:
        parameters: What is updated.
        spec: Rates.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], spec: "AdamaxSpec") -> None:
        super().__init__(parameters, spec.learning_rate)
        self._spec = spec
        self._means = [torch.zeros_like(p) for p in self.parameters]
        self._largest = [torch.zeros_like(p) for p in self.parameters]
        self._steps = [torch.zeros(()) for _ in self.parameters]  # read at every step: not on a GPU

    @torch.no_grad()
    def step(self) -> None:
        spec = self._spec
        columns = self._with_gradients(self._means, self._largest, self._steps)
        if not columns:
            return
        slopes, parameters, means, largest, steps = columns
        torch._foreach_add_(steps, 1)
        if spec.weight_decay:
            slopes = list(torch._foreach_add(slopes, parameters, alpha=spec.weight_decay))
        torch._foreach_lerp_(means, slopes, 1 - spec.beta1)
        lengths = torch._foreach_add(torch._foreach_abs(slopes), spec.epsilon)
        torch._foreach_mul_(largest, spec.beta2)
        torch._foreach_maximum_(largest, lengths)
        rate = float(self.learning_rate)
        sizes = [-rate / (1 - spec.beta1 ** step.item()) for step in steps]
        torch._foreach_addcdiv_(parameters, means, largest, sizes)

    def _kept(self) -> Mapping[str, list[Tensor]]:
        return {"step": self._steps, "exp_avg": self._means, "exp_inf": self._largest}


class AdamaxSpec(Spec):
    """Adamax, for gradients that are large now and then."""

    kind: Literal["adamax"] = "adamax"
    learning_rate: PositiveFloat = 2e-3
    beta1: float = Field(default=0.9, ge=0.0, lt=1.0, description="Decay of the gradient's mean.")
    beta2: float = Field(default=0.999, ge=0.0, lt=1.0, description="Decay of its largest size.")
    epsilon: PositiveFloat = 1e-8
    weight_decay: NonNegativeFloat = Field(default=0.0, description="Added to the gradient.")

    def build(self, parameters: Iterable[nn.Parameter]) -> Adamax:
        return Adamax(parameters, self)
