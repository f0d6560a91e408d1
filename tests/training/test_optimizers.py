"""Optimisers against their formulas, written out."""

from typing import Any

import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor, nn

from vaekit.training import AdagradSpec, AdamaxSpec, AdamSpec, OptimizerSpec, SGDSpec

STEPS = 20


def gradients() -> Tensor:
    return torch.randn(STEPS, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def path_of(spec: AdamSpec | AdamaxSpec | AdagradSpec | SGDSpec) -> Tensor:
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


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_adamax(decay: float) -> None:
    """Algorithm 2 of Kingma and Ba; epsilon keeps the divisor from zero, the decay is a slope."""
    rate, beta1, beta2, epsilon = 0.1, 0.8, 0.95, 1e-3
    weight, expected = torch.ones(5, dtype=torch.float64), []
    mean = largest = torch.zeros(5, dtype=torch.float64)
    for step, gradient in enumerate(gradients(), start=1):
        slope = gradient + decay * weight
        mean = beta1 * mean + (1 - beta1) * slope
        largest = torch.maximum(beta2 * largest, slope.abs() + epsilon)
        weight = weight - rate / (1 - beta1**step) * mean / largest
        expected.append(weight)
    spec = AdamaxSpec(
        learning_rate=rate, beta1=beta1, beta2=beta2, epsilon=epsilon, weight_decay=decay
    )
    # Float64 in another order of operations.
    torch.testing.assert_close(path_of(spec), torch.stack(expected), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_adagrad(decay: float) -> None:
    """Duchi, Hazan and Singer with diagonal matrices; the decay is a slope."""
    rate, epsilon = 0.1, 1e-3
    weight, expected = torch.ones(5, dtype=torch.float64), []
    total = torch.zeros(5, dtype=torch.float64)
    for gradient in gradients():
        slope = gradient + decay * weight
        total = total + slope**2
        weight = weight - rate * slope / (total.sqrt() + epsilon)
        expected.append(weight)
    spec = AdagradSpec(learning_rate=rate, epsilon=epsilon, weight_decay=decay)
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


@pytest.mark.parametrize(
    "spec", [AdamSpec(), AdamaxSpec(), AdagradSpec(), SGDSpec(momentum=0.9, nesterov=True)]
)
def test_there_and_back(spec: AdamSpec | AdamaxSpec | AdagradSpec | SGDSpec) -> None:
    adapter = TypeAdapter(OptimizerSpec)
    assert adapter.validate_python(spec.model_dump()) == spec


@pytest.mark.parametrize(
    "choices",
    [
        {"kind": "adam", "learning_rate": 0.0},
        {"kind": "adam", "beta1": 1.0},
        {"kind": "adam", "momentum": 0.9},
        {"kind": "adamax", "beta2": 1.0},
        {"kind": "sgd", "nesterov": True},
        {"kind": "adagrad", "epsilon": 0.0},
        {"kind": "rmsprop"},
    ],
)
def test_what_cannot_be_chosen(choices: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(OptimizerSpec).validate_python(choices)


SPECS = [
    AdamSpec(learning_rate=3e-3, weight_decay=0.1),
    AdamSpec(),
    AdamaxSpec(),
    AdamaxSpec(learning_rate=0.1, beta1=0.8, weight_decay=0.1),
    AdagradSpec(),
    AdagradSpec(learning_rate=0.1, weight_decay=0.1),
    SGDSpec(learning_rate=0.1),
    SGDSpec(learning_rate=0.1, momentum=0.9, weight_decay=0.01),
    SGDSpec(learning_rate=0.1, momentum=0.9, nesterov=True),
]


def weights() -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(1)
    shapes = ((30, 20), (30,), (7, 30))
    return [nn.Parameter(torch.randn(shape, generator=generator)) for shape in shapes]


def follow(optimizer: Any, parameters: list[nn.Parameter], steps: range) -> None:
    for step in steps:
        generator = torch.Generator().manual_seed(step)
        for parameter in parameters:
            parameter.grad = torch.randn(parameter.shape, generator=generator)
        optimizer.step()


def of_torch(
    spec: AdamSpec | AdamaxSpec | AdagradSpec | SGDSpec, parameters: list[nn.Parameter]
) -> torch.optim.Optimizer:
    if isinstance(spec, SGDSpec):
        return torch.optim.SGD(
            parameters, spec.learning_rate, spec.momentum,
            weight_decay=spec.weight_decay, nesterov=spec.nesterov,
        )  # fmt: skip
    if isinstance(spec, AdagradSpec):
        return torch.optim.Adagrad(
            parameters, spec.learning_rate, weight_decay=spec.weight_decay, eps=spec.epsilon,
            fused=True,
        )  # fmt: skip
    if isinstance(spec, AdamaxSpec):
        return torch.optim.Adamax(
            parameters, spec.learning_rate, (spec.beta1, spec.beta2), spec.epsilon,
            spec.weight_decay,
        )  # fmt: skip
    return torch.optim.AdamW(
        parameters, spec.learning_rate, (spec.beta1, spec.beta2), spec.epsilon,
        spec.weight_decay, fused=True,
    )  # fmt: skip


@pytest.mark.parametrize("spec", SPECS)
def test_is_torchs_bit_for_bit(spec: AdamSpec | AdamaxSpec | AdagradSpec | SGDSpec) -> None:
    ours, theirs = weights(), weights()
    follow(spec.build(ours), ours, range(STEPS))
    follow(of_torch(spec, theirs), theirs, range(STEPS))
    for own, other in zip(ours, theirs, strict=True):
        assert torch.equal(own, other)


@pytest.mark.parametrize("spec", SPECS)
def test_goes_on_from_its_state(spec: AdamSpec | AdamaxSpec | AdagradSpec | SGDSpec) -> None:
    through, stopped = weights(), weights()
    follow(spec.build(through), through, range(STEPS))
    first = spec.build(stopped)
    follow(first, stopped, range(8))
    second = spec.build(stopped)
    second.load_state_dict({name: kept.clone() for name, kept in first.state_dict().items()})
    follow(second, stopped, range(8, STEPS))
    for one, other in zip(through, stopped, strict=True):
        assert torch.equal(one, other)


def test_state_of_another_optimizer_is_refused() -> None:
    state = SGDSpec(momentum=0.9).build(weights()).state_dict()
    with pytest.raises(KeyError):
        AdamSpec().build(weights()).load_state_dict(state)


@pytest.mark.parametrize("spec", SPECS)
def test_without_a_gradient_nothing_moves(
    spec: AdamSpec | AdamaxSpec | AdagradSpec | SGDSpec,
) -> None:
    parameters = weights()
    before = [parameter.detach().clone() for parameter in parameters]
    optimizer = spec.build(parameters)
    optimizer.step()
    parameters[1].grad = torch.ones_like(parameters[1])
    optimizer.step()
    moved = [not torch.equal(b, p) for b, p in zip(before, parameters, strict=True)]
    assert moved == [False, True, False]
    optimizer.forget_gradients()
    assert all(parameter.grad is None for parameter in parameters)
