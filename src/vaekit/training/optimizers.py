"""Optimisers, by their published names. Pick one.

They are vaekit's own because torch's take a second to import (they bring its compiler along)
and spend as long on bookkeeping as on a small model's update; the arithmetic is torch's.

Reference:
    Kingma and Ba (2014), Adam: A Method for Stochastic Optimization (Adamax is algorithm 2),
    https://arxiv.org/abs/1412.6980
    Loshchilov and Hutter (2019), Decoupled Weight Decay Regularization,
    https://arxiv.org/abs/1711.05101
    Duchi, Hazan and Singer (2011), Adaptive Subgradient Methods for Online Learning and
    Stochastic Optimization, https://jmlr.org/papers/v12/duchi11a.html
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, TypeAlias, final

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator
from torch import Tensor, nn

from vaekit.spec import Spec

# pyright: reportPrivateImportUsage=false
# What torch's own optimisers call: one kernel for all parameters at a time.


class Optimizer(ABC):
    """Updates parameters from the gradients that lie in them.

    Args:
        parameters: What is updated.
        learning_rate: Size of a step; it may be changed at any time.
    """

    learning_rate: float | Tensor

    def __init__(self, parameters: Iterable[nn.Parameter], learning_rate: float) -> None:
        self.parameters, self.learning_rate = list(parameters), learning_rate

    @abstractmethod
    def step(self) -> None:
        """Makes one update; parameters without a gradient stay as they are."""

    @abstractmethod
    def _kept(self) -> Mapping[str, list[Tensor]]:
        """What is remembered between updates, by name: a tensor for each parameter."""

    def state_dict(self) -> dict[str, Tensor]:
        """What is remembered, by "<number of the parameter>.<name>"; shared, not copied."""
        return {
            f"{index}.{name}": tensor
            for name, tensors in self._kept().items()
            for index, tensor in enumerate(tensors)
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Takes up what was remembered.

        Raises:
            KeyError: Something is missing.
            RuntimeError: Something has another shape.
        """
        for name, tensor in self.state_dict().items():
            tensor.copy_(state[name])

    def forget_gradients(self) -> None:
        """Frees the memory of gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    def _with_gradients(self, *columns: list[Tensor]) -> list[list[Tensor]]:
        """Gradients, parameters, and `columns`, of the parameters that have a gradient."""
        rows = [
            [parameter.grad, parameter, *others]
            for parameter, *others in zip(self.parameters, *columns, strict=True)
            if parameter.grad is not None
        ]
        return [list(column) for column in zip(*rows, strict=True)]


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


class AdagradSpec(Spec):
    """Adagrad, whose steps shrink for good where gradients were large."""

    kind: Literal["adagrad"] = "adagrad"
    learning_rate: PositiveFloat = 1e-2
    epsilon: PositiveFloat = 1e-10
    weight_decay: NonNegativeFloat = Field(default=0.0, description="Added to the gradient.")

    def build(self, parameters: Iterable[nn.Parameter]) -> Adagrad:
        return Adagrad(parameters, self)


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


OptimizerSpec: TypeAlias = Annotated[
    AdamSpec | AdamaxSpec | AdagradSpec | SGDSpec, Field(discriminator="kind")
]
