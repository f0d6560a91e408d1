"""What is asked of a latent factor: samples from noise, constants, divergences per dimension."""

import pytest
import torch
from torch import Tensor
from torch.distributions import Distribution, Independent, Laplace, Normal, kl_divergence

from vaekit.distributions import Gaussian, detached, from_noise, kl_per_dimension
from vaekit.numerics import generator_for


def factor(base: Distribution) -> Independent:
    return Independent(base, 1, validate_args=False)


@pytest.fixture
def parameters() -> Tensor:
    return torch.randn(2, 3, 4, generator=generator_for(0), dtype=torch.float64).requires_grad_()


@pytest.fixture
def q(parameters: Tensor) -> Independent:
    return factor(Gaussian(*parameters))


def test_noise_becomes_the_sample_of_the_reparameterisation(q: Independent) -> None:
    noise = torch.randn(5, 3, 4, generator=generator_for(1), dtype=torch.float64)
    z = from_noise(q, noise)
    assert torch.equal(z, q.base_dist.loc + q.base_dist.log_scale.exp() * noise)
    # Change of variables: log q(z) = log N(noise; 0, 1) - log scale, per dimension.
    expected = Normal(0.0, 1.0).log_prob(noise) - q.base_dist.log_scale
    torch.testing.assert_close(q.log_prob(z), expected.sum(-1))


def test_noise_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(TypeError, match="Laplace does not say"):
        from_noise(factor(Laplace(torch.zeros(2), torch.ones(2))), torch.zeros(2))


def test_detached_factor_is_equal_and_constant(q: Independent, parameters: Tensor) -> None:
    z = from_noise(q, torch.ones(2, 3, 4, dtype=torch.float64))
    constant = detached(q)
    assert torch.equal(constant.log_prob(z), q.log_prob(z))
    assert constant.event_shape == q.event_shape
    assert not constant.log_prob(z.detach()).requires_grad
    # The path through z stays: d log q / dz = -noise / scale, and dz / dloc = 1.
    (slope,) = torch.autograd.grad(constant.log_prob(z).sum(), parameters, retain_graph=True)
    torch.testing.assert_close(slope[0], -2 * torch.exp(-parameters[1]).detach())
    # Of the original the two paths into loc cancel: a draw's density is where it was drawn.
    (slope,) = torch.autograd.grad(q.log_prob(z).sum(), parameters)
    torch.testing.assert_close(slope[0], torch.zeros_like(slope[0]))


def test_detaching_leaves_the_factor_alone(q: Independent) -> None:
    detached(q)
    assert q.base_dist.loc.requires_grad


def test_detaches_distributions_of_torch_too() -> None:
    loc = torch.zeros(2, requires_grad=True)
    constant = detached(factor(Laplace(loc, torch.ones(2))))
    assert isinstance(constant, Independent)
    assert not constant.base_dist.loc.requires_grad


@pytest.mark.parametrize("shape", [(4,), (3, 4)])
def test_exact_divergence_is_one_draw(q: Independent, shape: tuple[int, ...]) -> None:
    p = factor(Gaussian(torch.ones(shape).double(), torch.zeros(shape).double()))
    z = from_noise(q, torch.zeros(7, 3, 4, dtype=torch.float64))
    kl, exact = kl_per_dimension(q, p, z)
    assert exact
    assert kl.shape == (1, 3, 4)
    torch.testing.assert_close(kl[0], kl_divergence(q.base_dist, p.base_dist))


def test_divergence_of_unconditional_factors_is_repeated_for_the_batch() -> None:
    one, other = (factor(Gaussian(torch.full((4,), v), torch.zeros(4))) for v in (1.0, 0.0))
    kl, _ = kl_per_dimension(one, other, torch.zeros(2, 3, 4))
    assert torch.equal(kl, torch.full((1, 3, 4), 0.5))


def test_divergence_without_a_closed_form_is_estimated(q: Independent) -> None:
    p = factor(Laplace(torch.zeros(4, dtype=torch.float64), torch.ones(4, dtype=torch.float64)))
    noise = torch.randn(20_000, 3, 4, generator=generator_for(2), dtype=torch.float64)
    z = from_noise(q, noise)
    kl, exact = kl_per_dimension(q, p, z)
    assert not exact
    assert kl.shape == (20_000, 3, 4)
    torch.testing.assert_close(kl.sum(-1), q.log_prob(z) - p.log_prob(z))
    # KL = E_q |z| + log 2 - H(q), with E|z| of the folded normal distribution.
    loc, scale = q.base_dist.mean, q.base_dist.stddev
    folded = scale * (2 / torch.pi) ** 0.5 * torch.exp(-0.5 * (loc / scale) ** 2)
    folded = folded + loc * torch.erf(loc / scale / 2**0.5)
    expected = folded + torch.tensor(2.0).log() - q.base_dist.entropy()
    # Six standard errors of the estimate.
    assert ((kl.mean(0) - expected).abs() < 6 * kl.std(0) / 20_000**0.5).all()
