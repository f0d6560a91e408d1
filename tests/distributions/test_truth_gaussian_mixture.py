"""Gaussian mixtures against torch's MixtureSameFamily."""

import pytest
import torch
from torch import Tensor
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from vaekit.distributions import GaussianMixture, from_noise
from vaekit.numerics import generator_for

DRAWS = 50_000


def parameters(components: int = 5, latent: int = 3) -> tuple[Tensor, Tensor, Tensor]:
    source = generator_for(components, latent)
    drawn = torch.randn(components, 2 * latent + 1, generator=source, dtype=torch.float64)
    logits, loc, log_scale = drawn.tensor_split((1, 1 + latent), dim=1)
    return logits[:, 0], 2 * loc, log_scale - 1


def of_torch(logits: Tensor, loc: Tensor, log_scale: Tensor) -> MixtureSameFamily:
    parts = Independent(Normal(loc, log_scale.exp()), 1)
    return MixtureSameFamily(Categorical(logits=logits), parts)


@pytest.mark.parametrize(("components", "latent"), [(1, 1), (5, 3), (40, 8)])
def test_is_the_mixture_of_torch(components: int, latent: int) -> None:
    chosen = parameters(components, latent)
    ours, theirs = GaussianMixture(*chosen), of_torch(*chosen)
    z = 3 * torch.randn(7, 4, latent, generator=generator_for(0), dtype=torch.float64)
    # Thousands of nats by two routes in float64.
    torch.testing.assert_close(ours.log_prob(z), theirs.log_prob(z), rtol=1e-12, atol=1e-10)
    torch.testing.assert_close(ours.mean, theirs.mean)
    torch.testing.assert_close(ours.variance, theirs.variance)


def test_narrow_components_far_out_keep_their_digits_in_float32() -> None:
    """The matrix product alone would lose 1e4^2 * e^14 * 6e-8: every digit there is."""
    at = torch.tensor([[1e4, -1e4]])
    ours = GaussianMixture(torch.zeros(1), at, torch.full((1, 2), -7.0))
    z = at + torch.tensor([[0.0, 1 / 1024]])
    exact = Normal(at.double(), torch.tensor(-7.0).double().exp()).log_prob(z.double()).sum(-1)
    # float64 leaves 1e8 * 1e6 * 1e-16 = 0.01 nats of a sum that cancels.
    torch.testing.assert_close(ours.log_prob(z).double(), exact, rtol=0, atol=0.1)


def test_gradients_are_those_of_torch() -> None:
    z = torch.randn(4, 3, generator=generator_for(0), dtype=torch.float64)
    inputs = [part.requires_grad_() for part in (*parameters(), z)]
    mine, theirs = (
        torch.autograd.grad(mixture(*inputs[:3]).log_prob(inputs[3]).sum(), inputs)
        for mixture in (GaussianMixture, of_torch)
    )
    torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-9)


def test_last_number_of_the_noise_chooses_the_component() -> None:
    weights = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)
    loc = torch.tensor([[0.0], [10.0], [20.0]], dtype=torch.float64)
    mixture = GaussianMixture(weights.log(), loc, torch.zeros(3, 1, dtype=torch.float64))
    chooses = torch.special.ndtri(torch.tensor([0.01, 0.19, 0.21, 0.69, 0.71, 0.999]))
    noise = torch.stack([torch.full((6,), 0.5), chooses], dim=-1).double()
    z = from_noise(mixture, noise)
    assert z.flatten().tolist() == [0.5, 0.5, 10.5, 10.5, 20.5, 20.5]
    # Temperature narrows components and leaves the choice alone.
    cold = from_noise(mixture, noise, temperature=0.0)
    assert cold.flatten().tolist() == [0, 0, 10, 10, 20, 20]


@pytest.mark.parametrize("extreme", [-40.0, 40.0])
def test_every_number_chooses_a_component(extreme: float) -> None:
    mixture = GaussianMixture(*(part.float() for part in parameters()))
    assert from_noise(mixture, torch.tensor([0.0, 0.0, 0.0, extreme])).isfinite().all()


def test_components_come_as_often_as_their_weights_say() -> None:
    logits, loc, log_scale = parameters()
    mixture = GaussianMixture(logits, loc, log_scale - 20)  # points, all but
    torch.manual_seed(0)
    z = mixture.sample(torch.Size([DRAWS]))
    nearest = torch.cdist(z, loc).argmin(dim=1)
    found = torch.bincount(nearest, minlength=5) / DRAWS
    weights = mixture.weights
    assert ((found - weights).abs() < 6 * (weights * (1 - weights) / DRAWS).sqrt()).all()
