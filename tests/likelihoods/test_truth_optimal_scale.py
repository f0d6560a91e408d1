"""The optimal scale: best for its batch, with the gradient of the logarithm of the error."""

import math

import pytest
import torch
from torch import Tensor

from vaekit.data import Observation
from vaekit.likelihoods import GaussianSpec, Likelihood
from vaekit.models import log_prob_per_value
from vaekit.numerics import generator_for

EVENT = (2, 3)


def likelihood(min_scale: float = 1e-3) -> Likelihood:
    return GaussianSpec(scale="optimal", min_scale=min_scale).build(EVENT).double()


def batch(seed: int = 0, size: int = 7) -> tuple[Tensor, Tensor]:
    """Means of four samples, and values."""
    source = generator_for(seed)
    loc = torch.randn(4, size, *EVENT, generator=source, dtype=torch.float64)
    return loc, 0.4 * torch.randn(size, *EVENT, generator=source, dtype=torch.float64)


def test_no_fixed_scale_is_better_for_the_batch() -> None:
    loc, x = batch()
    mine = likelihood()(loc.unsqueeze(2)).log_prob(x).mean()
    scale = (x - loc).square().mean().sqrt().item()
    for factor, is_best in ((1.0, True), (0.99, False), (1.01, False)):
        fixed = GaussianSpec(scale=factor * scale).build(EVENT)
        other = fixed(loc.unsqueeze(2)).log_prob(x).mean()
        assert (mine.item() == pytest.approx(other.item(), abs=1e-12)) == is_best
        assert is_best or other < mine


def test_loss_is_the_logarithm_of_the_squared_error() -> None:
    """Equation 5 of Rybkin et al., and its gradient: through the scale flows nothing more."""
    loc, x = batch()
    loc.requires_grad_()
    loss = -likelihood()(loc.unsqueeze(2)).log_prob(x).mean()
    mse = (x - loc).square().mean()
    expected = 0.5 * math.prod(EVENT) * (mse.log() + 1 + math.log(2 * math.pi))
    assert loss.item() == pytest.approx(expected.item(), abs=1e-12)
    mine, theirs = (torch.autograd.grad(value, loc)[0] for value in (loss, expected))
    torch.testing.assert_close(mine, theirs, rtol=1e-12, atol=1e-14)
    fixed = GaussianSpec(scale=mse.sqrt().item()).build(EVENT)
    (constant,) = torch.autograd.grad(-fixed(loc.unsqueeze(2)).log_prob(x).mean(), loc)
    torch.testing.assert_close(mine, constant, rtol=1e-12, atol=1e-14)


def test_outside_training_it_is_the_average_of_what_was_seen() -> None:
    p, squares = likelihood(), []
    for seed in range(5):
        loc, x = batch(seed)
        p(loc.unsqueeze(2)).log_prob(x)
        squares.append((x - loc).square().mean().item())
    p.eval()
    loc, x = batch(9)
    variance = p(loc.unsqueeze(2)).base_dist.variance
    assert variance.flatten()[0].item() == pytest.approx(sum(squares) / 5, rel=1e-12)
    before = {name: value.clone() for name, value in p.state_dict().items()}
    p(loc.unsqueeze(2)).log_prob(x)
    assert all(torch.equal(value, before[name]) for name, value in p.state_dict().items())


def test_a_hundred_batches_are_remembered() -> None:
    p = likelihood()
    for size in [3.0] * 200 + [1.0] * 100:
        p(torch.zeros(1, 1, 1, *EVENT).double()).log_prob(torch.full((1, *EVENT), size).double())
    # Of the first average 0.99^100 is left.
    expected = 1 + 0.99**100 * (9 - 1)
    assert p.get_buffer("mean_square").item() == pytest.approx(expected, rel=1e-9)


def test_what_was_not_observed_has_no_say() -> None:
    loc, x = batch()
    mask = torch.rand(x.shape, generator=generator_for(3)) < 0.5
    mask[0, 0, 0] = True
    p = likelihood()
    shown = Observation(torch.where(mask, x, torch.nan), mask=mask)
    per_value = log_prob_per_value(p(loc.unsqueeze(2)), shown)
    mse = (x - loc).square()[mask.expand(loc.shape)].mean().item()
    assert p.get_buffer("mean_square").item() == pytest.approx(mse, rel=1e-12)
    fixed = GaussianSpec(scale=math.sqrt(mse)).build(EVENT)
    torch.testing.assert_close(per_value, log_prob_per_value(fixed(loc.unsqueeze(2)), shown))


def test_what_is_not_finite_is_not_remembered() -> None:
    p = likelihood()
    loc, x = batch()
    before = p.get_buffer("mean_square").item()
    p(torch.full_like(loc, torch.nan).unsqueeze(2)).log_prob(x)
    assert p.get_buffer("mean_square").item() == before


def test_a_perfect_batch_has_the_smallest_scale() -> None:
    loc, _ = batch()
    loc.requires_grad_()
    log_prob = likelihood(min_scale=0.1)(loc.unsqueeze(2)).base_dist.log_prob(loc.detach())
    expected = -math.log(0.1) - 0.5 * math.log(2 * math.pi)
    torch.testing.assert_close(log_prob, torch.full_like(log_prob, expected))
    (slope,) = torch.autograd.grad(log_prob.sum(), loc)
    assert not slope.any()
