"""Optimisers against their formulas, written out."""

from typing import Any

import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor, nn
from torch.optim import Optimizer

from vaekit.training import AdamSpec, OptimizerSpec, SGDSpec

STEPS = 20


def gradients() -> Tensor:
    return torch.randn(STEPS, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def path_of(spec: AdamSpec | SGDSpec) -> Tensor:
    """The weight after each of some updates with known gradients."""
    weight = nn.Parameter(torch.ones(5, dtype=torch.float64))
    optimizer, path = spec.build([weight]), []
    for gradient in gradients():
        weight.grad = gradient.clone()
        optimizer.step()
        path.append(weight.detach().clone())
    return torch.stack(path)


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_adam(decay: float) -> None:
    """Algorithm 1 of Kingma and Ba; the decay of Loshchilov and Hutter, algorithm 2."""
    rate, beta1, beta2, epsilon = 0.1, 0.8, 0.95, 1e-3
    weight, expected = torch.ones(5, dtype=torch.float64), []
    mean = square = torch.zeros(5, dtype=torch.float64)
    for step, gradient in enumerate(gradients(), start=1):
        mean = beta1 * mean + (1 - beta1) * gradient
        square = beta2 * square + (1 - beta2) * gradient**2
        unbiased_mean, unbiased_square = mean / (1 - beta1**step), square / (1 - beta2**step)
        weight = weight - rate * decay * weight
        weight = weight - rate * unbiased_mean / (unbiased_square.sqrt() + epsilon)
        expected.append(weight)
    spec = AdamSpec(
        learning_rate=rate, beta1=beta1, beta2=beta2, epsilon=epsilon, weight_decay=decay
    )
    # Float64 in another order of operations.
    torch.testing.assert_close(path_of(spec), torch.stack(expected), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("momentum", "nesterov", "decay"),
    [(0.0, False, 0.0), (0.9, False, 0.0), (0.9, True, 0.0), (0.9, False, 0.1)],
)
def test_sgd(momentum: float, nesterov: bool, decay: float) -> None:
    rate = 0.1
    weight, expected = torch.ones(5, dtype=torch.float64), []
    velocity = torch.zeros(5, dtype=torch.float64)
    for gradient in gradients():
        slope = gradient + decay * weight
        velocity = momentum * velocity + slope
        weight = weight - rate * (slope + momentum * velocity if nesterov else velocity)
        expected.append(weight)
    spec = SGDSpec(learning_rate=rate, momentum=momentum, nesterov=nesterov, weight_decay=decay)
    # Float64 in another order of operations.
    torch.testing.assert_close(path_of(spec), torch.stack(expected), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("spec", [AdamSpec(), SGDSpec(), SGDSpec(momentum=0.9, nesterov=True)])
def test_there_and_back(spec: AdamSpec | SGDSpec) -> None:
    adapter = TypeAdapter(OptimizerSpec)
    assert adapter.validate_python(spec.model_dump()) == spec
    assert isinstance(spec.build([nn.Parameter(torch.ones(1))]), Optimizer)


@pytest.mark.parametrize(
    "choices",
    [
        {"kind": "adam", "learning_rate": 0.0},
        {"kind": "adam", "beta1": 1.0},
        {"kind": "adam", "momentum": 0.9},
        {"kind": "sgd", "nesterov": True},
        {"kind": "rmsprop"},
    ],
)
def test_what_cannot_be_chosen(choices: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(OptimizerSpec).validate_python(choices)
