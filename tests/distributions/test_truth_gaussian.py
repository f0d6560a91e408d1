"""The normal distribution against torch's, against fifty digits and against its own draws."""

import mpmath
import pytest
import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from vaekit.distributions import Gaussian
from vaekit.numerics import generator_for


def gaussian(loc: float, scale: float) -> Gaussian:
    return Gaussian(
        torch.tensor(loc, dtype=torch.float64), torch.tensor(scale, dtype=torch.float64).log()
    )


@pytest.fixture
def pair() -> tuple[Gaussian, Gaussian]:
    generator = generator_for(0)
    parameters = torch.randn(4, 3, 5, generator=generator, dtype=torch.float64)
    q_loc, q_log_scale, p_loc, p_log_scale = parameters
    return Gaussian(q_loc, q_log_scale), Gaussian(p_loc, p_log_scale)


def of_torch(ours: Gaussian) -> Normal:
    return Normal(ours.loc, ours.log_scale.exp())


def test_is_the_normal_distribution_of_torch(pair: tuple[Gaussian, Gaussian]) -> None:
    q, p = pair
    x = torch.randn(7, 3, 5, generator=generator_for(1), dtype=torch.float64)
    # Both are exact up to a few roundings of float64; assert_close allows 1e-7 relative.
    torch.testing.assert_close(q.log_prob(x), of_torch(q).log_prob(x))
    torch.testing.assert_close(kl_divergence(q, p), kl_divergence(of_torch(q), of_torch(p)))
    for name in ("mean", "stddev", "variance", "entropy"):
        ours, theirs = getattr(q, name), getattr(of_torch(q), name)
        if name == "entropy":
            ours, theirs = ours(), theirs()
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize(
    ("loc", "scale", "kl"), [(2.0, 0.5, 2.3181471806), (3.0, 0.1, 6.3075850930)]
)
def test_divergence_from_the_standard_normal(loc: float, scale: float, kl: float) -> None:
    # The values are written with ten decimals.
    assert float(kl_divergence(gaussian(loc, scale), gaussian(0, 1))) == pytest.approx(
        kl, rel=0, abs=5.1e-11
    )


def test_closed_form_agrees_with_monte_carlo(pair: tuple[Gaussian, Gaussian]) -> None:
    q, p = pair
    torch.manual_seed(0)
    z = q.rsample(torch.Size([20_000]))
    estimates = q.log_prob(z) - p.log_prob(z)
    standard_error = estimates.std(0) / 20_000**0.5
    assert ((estimates.mean(0) - kl_divergence(q, p)).abs() < 6 * standard_error).all()
    surprise = -q.log_prob(z)
    assert ((surprise.mean(0) - q.entropy()).abs() < 6 * surprise.std(0) / 20_000**0.5).all()


def test_draws_have_the_moments(pair: tuple[Gaussian, Gaussian]) -> None:
    q, _ = pair
    torch.manual_seed(0)
    z = (q.rsample(torch.Size([20_000])) - q.mean) / q.stddev
    # Six standard errors: 1 / sqrt(n) of the mean, sqrt(2 / n) of the variance.
    assert z.mean(0).abs().max() < 6 / 20_000**0.5
    assert (z.var(0) - 1).abs().max() < 6 * (2 / 20_000) ** 0.5


def divergence(log_ratio: float, shift: float) -> float:
    with mpmath.workdps(50):
        r = mpmath.mpf(log_ratio)
        return float((mpmath.expm1(2 * r) - 2 * r + mpmath.mpf(shift) ** 2) / 2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("sign", [-1, 1])
def test_divergence_near_zero_is_tiny_and_not_negative(dtype: torch.dtype, sign: int) -> None:
    # What a collapsed latent dimension looks like. The textbook's form rounds ones here, and
    # so has errors of eps itself, of either sign.
    log_ratio = sign * torch.logspace(-12, 0, 1000, dtype=dtype)
    zeros = torch.zeros_like(log_ratio)
    kl = kl_divergence(Gaussian(zeros, log_ratio), Gaussian(zeros, zeros))
    exact = torch.tensor([divergence(r, 0) for r in log_ratio.tolist()], dtype=dtype)
    assert (kl >= 0).all()
    # Three roundings of a number as large as 2 log_ratio, or of e^2 at the end.
    allowed = 3 * torch.finfo(dtype).eps * torch.expm1(2 * log_ratio.abs())
    assert ((kl - exact).abs() <= allowed).all()


@pytest.mark.parametrize("log_scale", [-40.0, -20.0, 0.0, 20.0, 40.0])
@pytest.mark.parametrize("loc", [-1e4, 0.0, 1e4])
def test_extreme_scales_keep_their_digits(log_scale: float, loc: float) -> None:
    parameters = torch.tensor([loc, log_scale], requires_grad=True)
    q = Gaussian(parameters[0], parameters[1])
    kl = kl_divergence(q, Gaussian(torch.tensor(0.0), torch.tensor(0.0)))
    # float32 rounds 2 * 40, and an exponential turns that into a relative error: 80 eps = 1e-5.
    assert float(kl.detach()) == pytest.approx(divergence(log_scale, loc), rel=2e-5)
    noise = torch.tensor([-3.0, 0.0, 3.0])
    # log q of a draw must not depend on a difference of large numbers going wrong.
    value = kl + q.entropy() + q.log_prob(q.from_noise(noise)).sum()
    (gradient,) = torch.autograd.grad(value, parameters)
    assert value.isfinite()
    assert gradient.isfinite().all()


def test_densities_far_out_are_finite() -> None:
    log_prob = gaussian(0, 1).log_prob(torch.tensor(1e10, dtype=torch.float64))
    assert float(log_prob) == pytest.approx(-5e19)


def test_densities_and_divergences_have_the_right_slopes() -> None:
    generator = generator_for(3)
    at = [torch.randn(3, generator=generator, dtype=torch.float64) for _ in range(5)]
    inputs = tuple(t.requires_grad_() for t in at)

    def all_of_it(a: Tensor, b: Tensor, c: Tensor, d: Tensor, e: Tensor) -> tuple[Tensor, ...]:
        q, p = Gaussian(a, b), Gaussian(c, d)
        return q.log_prob(e), q.from_noise(e), q.entropy(), kl_divergence(q, p)

    assert torch.autograd.gradcheck(all_of_it, inputs)


def test_expands_like_any_distribution() -> None:
    q = gaussian(1, 2).expand(torch.Size([4, 3]))
    assert q.batch_shape == (4, 3)
    assert q.rsample(torch.Size([2])).shape == (2, 4, 3)
    assert not q.sample().requires_grad
