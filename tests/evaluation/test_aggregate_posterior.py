"""Active units and mutual information against numbers that are known."""

import math

import numpy as np
import pytest
import torch
from linear_model import linear_model
from scipy.integrate import quad
from scipy.stats import norm
from torch import Tensor

from vaekit.data import Observation
from vaekit.evaluation import (
    Moments,
    active_units,
    mutual_information,
    pooled_code,
    posterior_moments,
)
from vaekit.numerics import generator_for

TRUTH = linear_model()
SHOWN = TRUTH.draw(3000)


def moments(mean: Tensor, stddev: float | Tensor = 1.0) -> Moments:
    return Moments(mean.double(), torch.as_tensor(stddev).double().expand(mean.shape))


def test_moments_are_those_of_the_exact_posterior() -> None:
    (layer,) = posterior_moments(TRUTH.vae(), [SHOWN[:7], SHOWN[7:30]])
    exact = TRUTH.posterior_mean(SHOWN.x[:30])
    torch.testing.assert_close(layer.mean, exact, rtol=0, atol=1e-12)
    scale = TRUTH.posterior_scale.expand(30, -1)
    torch.testing.assert_close(layer.stddev, scale, rtol=1e-12, atol=0)


def test_information_is_that_of_the_linear_model() -> None:
    (layer,) = posterior_moments(TRUTH.vae(), [SHOWN])
    exact = 0.5 * (TRUTH.eigenvalues / TRUTH.sigma**2).log().sum().item()
    # log q(z|x) - log q(z) has a deviation of about sqrt(latent) = 1.7: 0.03 for the mean of 3000,
    # and the aggregate of 3000 Gaussians is nearly the prior that it is a sample of.
    assert mutual_information(layer, seed=0) == pytest.approx(exact, abs=0.13)


def test_codes_that_say_nothing_have_no_information() -> None:
    assert mutual_information(moments(torch.zeros(50, 4)), 0) == pytest.approx(0, abs=1e-12)


def test_codes_that_tell_all_apart_reach_the_cap() -> None:
    apart = torch.arange(200.0).unsqueeze(1).expand(-1, 3)
    assert mutual_information(moments(apart, 1e-3), 0) == pytest.approx(math.log(200), abs=1e-9)


def test_information_of_a_mixture_is_its_integral() -> None:
    centres, scale = np.array([-1.0, 0.3, 1.1]), 0.5

    def density(z: float) -> float:
        return norm.pdf(z, centres, scale).mean()

    entropy = quad(lambda z: -density(z) * math.log(density(z)), -6, 6)[0]
    exact = entropy - 0.5 * math.log(2 * math.pi * math.e * scale**2)
    mean = torch.from_numpy(centres).repeat(2000).unsqueeze(1)
    # The logarithm of the ratio has a deviation below 0.7: 0.7 / sqrt(6000) = 0.009, times five.
    assert mutual_information(moments(mean, scale), 0) == pytest.approx(exact, abs=0.045)


def test_information_needs_no_memory_for_all_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    (layer,) = posterior_moments(TRUTH.vae(), [SHOWN[:300]])
    whole = mutual_information(layer, 0)
    monkeypatch.setattr("vaekit.evaluation.aggregate_posterior._PAIRS_AT_A_TIME", 700)
    assert mutual_information(layer, 0) == pytest.approx(whole, abs=1e-10)


def test_no_digits_are_lost_between_narrow_posteriors() -> None:
    # Two codes e^-7 apart in scale: each is sure of itself, far from zero.
    mean = torch.tensor([[1000.0], [1000.01]])
    assert mutual_information(moments(mean, math.exp(-7)), 0) == pytest.approx(
        math.log(2), abs=1e-6
    )


def test_digits_are_kept_between_narrow_and_wide_posteriors() -> None:
    # As without a KL term: multiplied out, squares of 1e24 would be subtracted from each other,
    # and a wide posterior would seem to explain a code better than its own.
    mean = torch.linspace(1000, 1010, 100, dtype=torch.float64).unsqueeze(1)
    stddev = torch.logspace(-9, -1, 100, dtype=torch.float64).unsqueeze(1)
    found = mutual_information(Moments(mean, stddev), 0)
    noise = torch.randn(100, 1, generator=generator_for(0, "aggregate"), dtype=torch.float64)
    densities = torch.distributions.Normal(mean.T, stddev.T).log_prob(mean + stddev * noise)
    exact = (densities.diagonal() - densities.logsumexp(1)).mean().item() + math.log(100)
    assert found == pytest.approx(exact, abs=1e-9)


def test_unit_is_active_where_its_mean_varies() -> None:
    means = torch.zeros(4, 3)
    means[:, 1] = torch.tensor([-0.1, 0.1, -0.1, 0.1])  # a variance of exactly 0.01 = 0.1^2
    means[:, 2] = torch.tensor([-1.0, 1.0, -1.0, 1.0])
    layers = [moments(means), moments(5.0 + means[:, :2])]
    assert [active_units(layers, t) for t in (0.0, 0.0099, 0.0101, 0.9, 1.0)] == [3, 3, 1, 1, 0]


def test_active_units_of_the_linear_model() -> None:
    # Var E[z_i | x] = 1 - sigma^2 / lambda_i: 0.89, 0.67 and 0.34, over data it drew itself.
    found = posterior_moments(TRUTH.vae(), [SHOWN])
    variances = (1 - TRUTH.sigma**2 / TRUTH.eigenvalues).tolist()
    for threshold in (0.2, 0.5, 0.75, 0.99):
        assert active_units(found, threshold) == sum(v > threshold for v in variances)


def test_dead_dimension_is_not_active() -> None:
    columns = TRUTH.columns.clone()
    columns[:, 1] = 1e-6
    dead = type(TRUTH)(columns, TRUTH.mean, TRUTH.sigma)
    assert active_units(posterior_moments(dead.vae(), [Observation(SHOWN.x)]), 0.01) == 2


def test_pooled_code_is_that_of_draws() -> None:
    mean = torch.randn(4000, 3, generator=generator_for(0), dtype=torch.float64) * 2 + 1
    stddev = torch.rand(4000, 3, generator=generator_for(1), dtype=torch.float64)
    draws = mean + stddev * torch.randn(500, 4000, 3, dtype=torch.float64)
    found = pooled_code([Moments(mean[:, :2], stddev[:, :2]), Moments(mean[:, 2:], stddev[:, 2:])])
    # 6 million draws: an error of about 0.001.
    assert found == pytest.approx((draws.mean().item(), draws.std().item()), abs=5e-3)
