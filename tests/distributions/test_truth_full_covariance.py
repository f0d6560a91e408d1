"""Normal distributions with full covariance against torch's MultivariateNormal."""

import pytest
import torch
from torch import Tensor
from torch.distributions import Independent, Laplace, MultivariateNormal, Normal, kl_divergence

from vaekit.distributions import (
    FullCovarianceGaussian,
    Gaussian,
    detached,
    from_noise,
    kl_per_dimension,
)
from vaekit.numerics import generator_for

DRAWS = 20_000


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=generator_for(seed), dtype=torch.float64)


@pytest.fixture(params=[1, 4, 12])
def q(request: pytest.FixtureRequest) -> FullCovarianceGaussian:
    size = request.param
    return FullCovarianceGaussian(
        drawn(3, size), 0.5 * drawn(3, size, seed=1), drawn(3, size, size, seed=2).tril(-1)
    )


def of_torch(ours: FullCovarianceGaussian) -> MultivariateNormal:
    return MultivariateNormal(ours.loc, scale_tril=ours.scale_tril)


def test_is_the_multivariate_normal_of_torch(q: FullCovarianceGaussian) -> None:
    theirs = of_torch(q)
    z = drawn(7, 3, q.loc.shape[1], seed=3)
    torch.testing.assert_close(q.log_prob(z), theirs.log_prob(z))
    torch.testing.assert_close(q.log_prob(z[0]), theirs.log_prob(z[0]))
    torch.testing.assert_close(q.entropy(), theirs.entropy())
    for name in ("mean", "variance", "stddev"):
        torch.testing.assert_close(getattr(q, name), getattr(theirs, name))


def test_noise_becomes_the_sample_of_the_factor(q: FullCovarianceGaussian) -> None:
    noise = drawn(5, 3, q.loc.shape[1], seed=3)
    expected = q.loc + (q.scale_tril @ noise.unsqueeze(-1)).squeeze(-1)
    torch.testing.assert_close(from_noise(q, noise), expected)


def test_divergence_is_that_of_torch(q: FullCovarianceGaussian) -> None:
    size = q.loc.shape[1]
    loc, log_scale = drawn(size, seed=4), drawn(size, seed=5)
    p = Independent(Gaussian(loc, log_scale), 1)
    theirs = MultivariateNormal(loc, scale_tril=torch.diag(log_scale.exp()))
    kl, exact = kl_per_dimension(q, p, from_noise(q, drawn(2, 3, size)))
    assert exact
    assert kl.shape == (1, 3, 1)
    expected = kl_divergence(of_torch(q), theirs)
    torch.testing.assert_close(kl[0, :, 0], expected, rtol=1e-10, atol=1e-10)


def test_divergence_without_correlation_is_that_of_univariate_normals() -> None:
    loc, log_scale = drawn(3, 4), 1e-6 * drawn(3, 4, seed=1)
    q = FullCovarianceGaussian(loc, log_scale, torch.zeros(3, 4, 4).double())
    p = Independent(Gaussian(loc, torch.zeros_like(loc)), 1)
    expected = kl_divergence(Gaussian(loc, log_scale), p.base_dist).sum(-1)
    assert expected.max() < 1e-10
    torch.testing.assert_close(kl_divergence(q, p), expected, rtol=1e-12, atol=0)


def test_divergence_from_another_family_is_estimated(q: FullCovarianceGaussian) -> None:
    size = q.loc.shape[1]
    zeros, ones = torch.zeros(size).double(), torch.ones(size).double()
    p = Independent(Laplace(zeros, ones), 1)
    z = from_noise(q, drawn(DRAWS, 3, size, seed=6))
    kl, exact = kl_per_dimension(q, p, z)
    assert not exact
    assert kl.shape == (DRAWS, 3, 1)
    # KL = E_q |z| + log 2 - H(q), summed, with E|z| of the folded normal distribution.
    marginal = Normal(q.mean, q.stddev)
    shape = torch.exp(-0.5 * (q.mean / q.stddev) ** 2)
    folded = q.stddev * (2 / torch.pi) ** 0.5 * shape + q.mean * (1 - 2 * marginal.cdf(zeros))
    expected = (folded + torch.tensor(2.0).log()).sum(-1) - q.entropy()
    found = kl.mean((0, 2))
    assert ((found - expected).abs() < 6 * kl.std(0).flatten() / DRAWS**0.5).all()


def test_own_draws_lose_no_digits_to_a_solve() -> None:
    """Under a nearly singular covariance, in float32."""
    below = torch.tensor([[0.0, 0.0], [7.0, 0.0]])
    q = FullCovarianceGaussian(torch.zeros(2), torch.tensor([0.0, -7.0]), below)
    noise = torch.randn(1000, 2, generator=generator_for(0))
    z = from_noise(q, noise)
    exact = Normal(0.0, 1.0).log_prob(noise).sum(-1) + 7
    torch.testing.assert_close(q.log_prob(z), exact)
    # What a solve makes of it: the second noise is a difference of numbers a thousand times it.
    assert (q.log_prob(z.clone()) - exact).abs().max() > 1e-4


def test_slopes_are_right() -> None:
    inputs = tuple(
        part.requires_grad_()
        for part in (drawn(2, 3), drawn(2, 3, seed=1), drawn(2, 3, 3, seed=2), drawn(4, 2, 3))
    )
    p = Independent(Gaussian(torch.ones(3).double(), torch.ones(3).double()), 1)

    def all_of_it(loc: Tensor, diagonal: Tensor, square: Tensor, z: Tensor) -> tuple[Tensor, ...]:
        q = FullCovarianceGaussian(loc, diagonal, square.tril(-1))
        own = from_noise(q, z)
        return q.log_prob(own), q.log_prob(z), own, q.entropy(), kl_divergence(q, p)

    assert torch.autograd.gradcheck(all_of_it, inputs)


def test_detached_is_constant(q: FullCovarianceGaussian) -> None:
    q.loc.requires_grad_()
    constant = detached(q)
    assert isinstance(constant, FullCovarianceGaussian)
    assert not constant.loc.requires_grad
    assert q.loc.requires_grad
