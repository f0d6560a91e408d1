"""Spike and slab against torch's mixtures, and its draws against its weights."""

import pytest
import torch
from torch import Tensor
from torch.distributions import Categorical, MixtureSameFamily, Normal

from vaekit.distributions import SpikeAndSlab, from_noise, noise_size
from vaekit.numerics import generator_for

DRAWS = 100_000


def parameters() -> tuple[Tensor, Tensor, Tensor]:
    logit, spike, slab = torch.randn(3, 4, generator=generator_for(0), dtype=torch.float64)
    return logit, spike - 2, slab


def of_torch(logit: Tensor, log_spike: Tensor, log_slab: Tensor) -> MixtureSameFamily:
    scales = torch.stack([log_spike, log_slab], dim=-1).exp()
    logits = torch.stack([logit, torch.zeros_like(logit)], dim=-1)
    return MixtureSameFamily(Categorical(logits=logits), Normal(torch.zeros_like(scales), scales))


def test_is_the_mixture_of_torch() -> None:
    ours, theirs = SpikeAndSlab(*parameters()), of_torch(*parameters())
    z = 3 * torch.randn(7, 5, 4, generator=generator_for(1), dtype=torch.float64)
    torch.testing.assert_close(ours.log_prob(z), theirs.log_prob(z), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(ours.mean, theirs.mean)
    torch.testing.assert_close(ours.variance, theirs.variance)


def test_integrates_to_one() -> None:
    p = SpikeAndSlab(*parameters())
    z = torch.arange(-60.0, 60.0, 0.005, dtype=torch.float64).unsqueeze(1)
    # The narrowest scale is over ten steps: the sum is exact, and nothing lies beyond.
    mass = p.log_prob(z).exp().sum(0) * 0.005
    torch.testing.assert_close(mass, torch.ones(4, dtype=torch.float64), rtol=0, atol=1e-12)


def test_far_out_and_at_the_spike_nothing_overflows() -> None:
    p = SpikeAndSlab(torch.zeros(3), torch.full((3,), -6.0), torch.zeros(3))
    z = torch.tensor([0.0, 1e-30, 1e4], requires_grad=True)
    log_prob = p.log_prob(z)
    assert log_prob.isfinite().all()
    (slope,) = torch.autograd.grad(log_prob.sum(), z)
    assert slope.tolist() == pytest.approx([0.0, 0.0, -1e4])


def test_second_half_of_the_noise_chooses() -> None:
    logit = torch.logit(torch.tensor([0.3, 0.3, 0.3, 0.3], dtype=torch.float64))
    p = SpikeAndSlab(logit, torch.full_like(logit, -3.0), torch.zeros_like(logit))
    assert noise_size(p) == 8
    choice = torch.special.ndtri(torch.tensor([0.01, 0.29, 0.31, 0.99], dtype=torch.float64))
    value = torch.tensor([1.0, -2.0, 1.0, -2.0], dtype=torch.float64)
    z = from_noise(p, torch.cat([value, choice]))
    narrow = torch.tensor(-3.0).double().exp().item()
    assert z.tolist() == pytest.approx([narrow, -2 * narrow, 1.0, -2.0])


def test_spikes_come_as_often_as_they_should() -> None:
    logit, _, slab = parameters()
    p = SpikeAndSlab(logit, torch.full_like(logit, -30.0), slab)
    torch.manual_seed(0)
    z = p.sample(torch.Size([DRAWS]))
    assert z.shape == (DRAWS, 4)
    share = (z.abs() < 1e-9).double().mean(0)
    weight = logit.sigmoid()
    assert ((share - weight).abs() < 6 * (weight * (1 - weight) / DRAWS).sqrt()).all()
    squares = z.square()
    error = squares.std(0) / DRAWS**0.5
    assert ((squares.mean(0) - p.variance).abs() < 6 * error).all()
