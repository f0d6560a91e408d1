"""The Laplace distribution against torch's, against quadrature and against fifty digits."""

import math

import mpmath
import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor
from torch.distributions import Independent, kl_divergence
from torch.distributions import Laplace as LaplaceOfTorch

from vaekit.distributions import Gaussian, Laplace, from_noise
from vaekit.numerics import generator_for

DRAWS = 100_000


def double(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


def of_torch(ours: Laplace) -> LaplaceOfTorch:
    return LaplaceOfTorch(ours.loc, ours.log_scale.exp())


def test_is_the_laplace_distribution_of_torch() -> None:
    parameters = torch.randn(2, 3, 5, generator=generator_for(0), dtype=torch.float64)
    ours = Laplace(*parameters)
    x = torch.randn(7, 3, 5, generator=generator_for(1), dtype=torch.float64)
    torch.testing.assert_close(ours.log_prob(x), of_torch(ours).log_prob(x), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(ours.entropy(), of_torch(ours).entropy())
    for name in ("mean", "stddev", "variance"):
        torch.testing.assert_close(getattr(ours, name), getattr(of_torch(ours), name))


@pytest.mark.parametrize("shift", [0.0, 0.7, -6.0])
@pytest.mark.parametrize("scale", [1e-3, 0.4, 2.0])
@pytest.mark.parametrize("width", [0.2, math.sqrt(0.5), 3.0])
def test_divergence_of_a_gaussian_is_the_integral(shift: float, scale: float, width: float) -> None:
    loc = 0.3
    q = Gaussian(double(loc + shift), double(math.log(scale)))
    p = Laplace(double(loc), double(math.log(width)))

    def integrand(t: Tensor) -> Tensor:
        z = q.loc + scale * t
        return torch.exp(-0.5 * t.square()) * (q.log_prob(z) - p.log_prob(z))

    # Gauss-Legendre on both sides of the corner at loc: beyond twelve deviations lie 1e-32.
    corner = min(12.0, max(-12.0, -shift / scale))
    nodes, weights = map(torch.from_numpy, np.polynomial.legendre.leggauss(200))
    total = 0.0
    for low, high in ((-12.0, corner), (corner, 12.0)):
        t = 0.5 * (high - low) * nodes + 0.5 * (high + low)
        total += 0.5 * (high - low) * float((weights * integrand(t)).sum())
    exact = total / math.sqrt(2 * math.pi)
    assert float(kl_divergence(q, p)) == pytest.approx(exact, rel=1e-12, abs=1e-10)


def test_gradients_of_the_divergence_agree_with_finite_differences() -> None:
    parameters = torch.randn(4, 6, generator=generator_for(2), dtype=torch.float64)
    inputs = tuple(part.clone().requires_grad_() for part in parameters)
    assert torch.autograd.gradcheck(
        lambda a, b, c, d: kl_divergence(Gaussian(a, b), Laplace(c, d)), inputs
    )


@pytest.mark.parametrize("noise", [0.0, 1e-6, 0.3, 0.99, 1.0, 1.01, 5.0, 12.0, 30.0, 200.0])
def test_noise_becomes_the_quantile_in_both_tails(noise: float) -> None:
    with mpmath.workdps(50):
        # Phi(-noise), not 1 - Phi(noise): the same number, with digits.
        exact = float(-mpmath.log(mpmath.erfc(mpmath.mpf(noise) / mpmath.sqrt(2))))
    for dtype, digits in ((torch.float64, 1e-13), (torch.float32, 1e-6)):
        p = Laplace(torch.zeros((), dtype=dtype), torch.zeros((), dtype=dtype))
        given = torch.tensor([noise, -noise], dtype=dtype, requires_grad=True)
        z = p.from_noise(given)
        assert z.tolist() == pytest.approx([exact, -exact], rel=digits, abs=0)
        (slope,) = torch.autograd.grad(z.sum(), given)
        assert slope.isfinite().all()


def test_draws_are_laplace() -> None:
    torch.manual_seed(0)
    p = Laplace(double(0.5), double(math.log(2.0)))
    z = p.rsample(torch.Size([DRAWS]))
    # The distance of Kolmogorov and Smirnov exceeds 2.2 / sqrt(n) once in 8,000 times.
    distance = stats.kstest(z.numpy(), stats.laplace(0.5, 2.0).cdf).statistic
    assert distance < 2.2 / DRAWS**0.5


def test_samples_carry_the_gradient_of_their_parameters() -> None:
    loc, log_scale = (double(v).requires_grad_() for v in (0.5, 0.3))
    z = Laplace(loc, log_scale).from_noise(double(-1.7))
    slopes = torch.autograd.grad(z, (loc, log_scale))
    assert [float(s) for s in slopes] == pytest.approx([1.0, float((z - loc).detach())])


@pytest.mark.parametrize("temperature", [0.0, 0.5, 1.0, 2.0])
def test_temperature_is_a_factor_on_the_scale(temperature: float) -> None:
    p = Independent(Laplace(torch.full((3,), 0.7), torch.full((3,), 0.2)), 1)
    noise = torch.randn(5, 3, generator=generator_for(4))
    plain, spread = from_noise(p, noise), from_noise(p, noise, temperature)
    torch.testing.assert_close(spread - 0.7, temperature * (plain - 0.7))
