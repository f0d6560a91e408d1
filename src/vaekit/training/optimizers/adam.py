"""Adam, with decoupled weight decay.

Reference:
    Kingma and Ba (2014), Adam: A Method for Stochastic Optimization,
    https://arxiv.org/abs/1412.6980
    Loshchilov and Hutter (2019), Decoupled Weight Decay Regularization,
    https://arxiv.org/abs/1711.05101
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
class Adam(Optimizer):
    """Adam with decoupled weight decay, in one pass over the memory.

    Args:
        parameters: What is updated.
        spec: Rates.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], spec: "AdamSpec") -> None:
        super().__init__(parameters, spec.learning_rate)
        self._spec = spec
        self._means = [torch.zeros_like(p) for p in self.parameters]
        self._squares = [torch.zeros_like(p) for p in self.parameters]
        self._steps = [torch.zeros((), device=p.device) for p in self.parameters]

    @torch.no_grad()
    def step(self, unwanted: Tensor | None = None) -> None:
        """Makes one update; parameters without a gradient stay as they are.

        Args:
            unwanted: On the device: one to leave everything as it is, zero not to.
        """
        columns = self._with_gradients(self._means, self._squares, self._steps)
        if not columns:
            return
        gradients, parameters, means, squares, steps = columns
        torch._foreach_add_(steps, 1)
        if unwanted is not None:  # one for each: a lone tensor is read by the CPU, which waits
            torch._foreach_sub_(steps, [unwanted] * len(steps))
        torch._fused_adamw_(
            parameters,
            gradients,
            means,
            squares,
            [],
            steps,
            lr=self.learning_rate,
            beta1=self._spec.beta1,
            beta2=self._spec.beta2,
            weight_decay=self._spec.weight_decay,
            eps=self._spec.epsilon,
            amsgrad=False,
            maximize=False,
            found_inf=unwanted,
        )

    def _kept(self) -> Mapping[str, list[Tensor]]:
        return {"step": self._steps, "exp_avg": self._means, "exp_avg_sq": self._squares}


class AdamSpec(Spec):
    """Adam; with weight decay it is AdamW."""

    kind: Literal["adam"] = "adam"
    learning_rate: PositiveFloat = 1e-3
    beta1: float = Field(default=0.9, ge=0.0, lt=1.0, description="Decay of the gradient's mean.")
    beta2: float = Field(default=0.999, ge=0.0, lt=1.0, description="Decay of its mean square.")
    epsilon: PositiveFloat = 1e-8
    weight_decay: NonNegativeFloat = Field(default=0.0, description="Decoupled weight decay.")

    def build(self, parameters: Iterable[nn.Parameter]) -> Adam:
        return Adam(parameters, self)
