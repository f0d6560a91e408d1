"""Categorical variables: exact numbers, exact draws, and what the relaxation tends to."""

import itertools
import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Independent, OneHotCategorical, kl_divergence

from vaekit.distributions import OneHot, detached, from_noise, kl_per_dimension
from vaekit.numerics import generator_for

LOGITS = torch.randn(3, 2, 4, generator=generator_for(0), dtype=torch.float64)
DRAWS = 40_000


def uniform(*shape: int, seed: int = 1) -> Tensor:
    return torch.rand(shape, generator=generator_for(seed), dtype=torch.float64)


def test_is_the_categorical_of_torch() -> None:
    ours, theirs = OneHot(LOGITS), OneHotCategorical(logits=LOGITS)
    for k in range(4):
        value = torch.eye(4, dtype=torch.float64)[k].expand(3, 2, 4)
        torch.testing.assert_close(ours.log_prob(value), theirs.log_prob(value))
    torch.testing.assert_close(ours.entropy(), theirs.entropy())
    torch.testing.assert_close(ours.mean, theirs.mean)
    torch.testing.assert_close(ours.variance, theirs.variance)
    assert torch.equal(ours.mode, theirs.mode)


def test_divergence_is_the_sum_over_all_codes() -> None:
    q, p = OneHot(LOGITS), OneHot(LOGITS.flip(0))
    codes = [
        torch.stack([torch.eye(4, dtype=torch.float64)[k] for k in pair])
        for pair in itertools.product(range(4), repeat=2)
    ]
    enumerated = sum(
        q.log_prob(code).sum(-1).exp() * (q.log_prob(code) - p.log_prob(code)).sum(-1)
        for code in codes
    )
    of_q, of_p = (Independent(part, 1, validate_args=False) for part in (q, p))
    kl, exact = kl_per_dimension(of_q, of_p, torch.zeros(5, 3, 2, 4))
    assert exact
    assert kl.shape == (1, 3, 2)
    torch.testing.assert_close(kl[0].sum(-1), enumerated)


def test_divergence_from_uniform_is_what_the_entropy_lacks() -> None:
    kl = kl_divergence(OneHot(LOGITS), OneHot(torch.zeros(4, dtype=torch.float64)))
    torch.testing.assert_close(kl, math.log(4) - OneHot(LOGITS).entropy())


def test_hard_draws_have_the_probabilities() -> None:
    q = OneHot(LOGITS)
    z = q.from_noise(uniform(DRAWS, 3, 2, 4))
    assert set(z.unique().tolist()) == {0.0, 1.0}
    assert (z.sum(-1) == 1).all()
    # Five standard errors of a share.
    assert ((z.mean(0) - q.mean).abs() < 5 * (q.variance / DRAWS).sqrt()).all()


def test_even_noise_gives_the_mode() -> None:
    q = OneHot(LOGITS)
    assert torch.equal(q.from_noise(torch.full((3, 2, 4), 0.5, dtype=torch.float64)), q.mode)
    assert torch.equal(q.from_noise(uniform(3, 2, 4), scale=0.0), q.mode)


def test_relaxed_draws_approach_the_expectation_as_the_temperature_falls() -> None:
    # Of a function that tells a mixture of classes from a class: (sum_k k z_k)^2.
    levels, noise = torch.arange(4.0, dtype=torch.float64), uniform(DRAWS, 3, 2, 4)
    exact = (OneHot(LOGITS).mean * levels.square()).sum(-1)

    def error(temperature: float | None) -> float:
        z = OneHot(LOGITS, temperature).from_noise(noise)
        return ((z @ levels).square().mean(0) - exact).abs().max().item()

    errors = [error(temperature) for temperature in (2.0, 0.7, 0.2, 0.05)]
    assert errors == sorted(errors, reverse=True)
    # At most 9 with a standard deviation below 4.5: five standard errors of the hard estimate.
    assert errors[0] > 1 > 5 * 4.5 / DRAWS**0.5 > error(None)
    assert errors[-1] < 0.2


def test_relaxed_draws_become_hard_ones_of_the_same_noise() -> None:
    noise = uniform(200, 3, 2, 4)
    hard = OneHot(LOGITS).from_noise(noise)
    relaxed = OneHot(LOGITS, 1e-6).from_noise(noise)
    torch.testing.assert_close(relaxed, hard)
    assert torch.equal(OneHot(LOGITS, 0.9).from_noise(noise).argmax(-1), hard.argmax(-1))


@pytest.mark.parametrize("temperature", [0.4, torch.tensor(0.4, dtype=torch.float64)])
def test_straight_through_has_the_value_of_one_and_the_gradient_of_the_other(
    temperature: float | Tensor,
) -> None:
    noise, slope = uniform(5, 3, 2, 4), torch.randn(4, dtype=torch.float64)
    logits = LOGITS.clone().requires_grad_()
    relaxed = OneHot(logits, temperature).from_noise(noise)
    straight = OneHot(logits, temperature, straight_through=True).from_noise(noise)
    assert torch.equal(straight, OneHot(logits).from_noise(noise))
    gradients = [torch.autograd.grad((z @ slope).sum(), logits)[0] for z in (relaxed, straight)]
    assert gradients[0].abs().max() > 0
    assert torch.equal(*gradients)


def test_gradient_is_that_of_finite_differences() -> None:
    noise = uniform(2, 3, 2, 4)

    def drawn(logits: Tensor) -> Tensor:
        return OneHot(logits, 0.7).from_noise(noise)

    assert torch.autograd.gradcheck(drawn, (LOGITS.clone().requires_grad_(),))


@pytest.mark.parametrize("size", [1.0, 1e4, 1e15, 1e30])
@pytest.mark.parametrize("end", [0.0, 1.0])
def test_extremes_stay_finite(size: float, end: float) -> None:
    logits = torch.tensor([[size, -size, 0.0], [0.0, 0.0, 0.0]], requires_grad=True)
    q, p = OneHot(logits, 0.1), OneHot(torch.zeros(3))
    for value in (q.from_noise(torch.full((2, 3), end)), kl_divergence(q, p), q.entropy()):
        assert value.isfinite().all()
        (slope,) = torch.autograd.grad(value.square().sum(), logits, retain_graph=True)
        assert slope.isfinite().all()


def test_detached_and_expanded_draw_the_same() -> None:
    logits = LOGITS.clone().requires_grad_()
    factor = Independent(OneHot(logits, 0.5, straight_through=True), 1, validate_args=False)
    noise = uniform(3, 2, 4)
    constant = detached(factor)
    assert torch.equal(from_noise(constant, noise), from_noise(factor, noise))
    assert not from_noise(constant, noise).requires_grad
    one = OneHot(LOGITS[0], 0.5)
    assert torch.equal(one.expand(torch.Size((3, 2))).from_noise(noise), one.from_noise(noise))
