"""What is called exact, against draws, a Gaussian integral and each other."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from vaekit.lesson import (
    Parameters,
    Setting,
    by_hand,
    forward,
    loss_over_noise,
    mean_slopes,
    truth,
)

NUMBERS = st.floats(-2, 2)
PARAMETERS = st.builds(Parameters, *[NUMBERS] * 6)
SETTINGS = st.builds(Setting, x=NUMBERS, epsilon=NUMBERS, likelihood_scale=st.floats(0.3, 2))


@given(PARAMETERS, SETTINGS)
def test_elbo_and_gap_make_the_likelihood(parameters: Parameters, setting: Setting) -> None:
    exact = truth(parameters, setting)
    scale = max(1.0, abs(exact.elbo))
    assert exact.gap >= 0
    assert exact.elbo + exact.gap == pytest.approx(exact.log_likelihood, abs=1e-12 * scale)


@given(PARAMETERS, SETTINGS)
def test_the_posterior_leaves_no_gap(parameters: Parameters, setting: Setting) -> None:
    exact = truth(parameters, setting)
    right = replace(
        parameters,
        mu_weight=0.0,
        mu_bias=exact.posterior_mean,
        log_variance_weight=0.0,
        log_variance_bias=2 * np.log(exact.posterior_deviation).item(),
    )
    assert truth(right, setting).gap == pytest.approx(0.0, abs=1e-12)
    # And every single draw gives log p(x) by log p(x, z) - log q(z | x).
    mean, deviation = exact.posterior_mean, exact.posterior_deviation
    drawn = forward(right, setting)
    weight = -drawn.reconstruction + norm.logpdf(drawn.z) - norm.logpdf(drawn.z, mean, deviation)
    assert weight == pytest.approx(exact.log_likelihood, abs=1e-9)


def test_likelihood_is_the_integral_over_the_prior() -> None:
    parameters, setting = Parameters(), Setting()

    def joint(z: float) -> float:
        mean = parameters.decoder_weight * z + parameters.decoder_bias
        return float(norm.pdf(setting.x, mean, setting.likelihood_scale) * norm.pdf(z))

    total, _ = quad(joint, -10, 10, epsabs=1e-13)
    assert truth(parameters, setting).log_likelihood == pytest.approx(np.log(total), abs=1e-11)


@given(PARAMETERS, SETTINGS)
def test_mean_and_deviation_over_the_noise(parameters: Parameters, setting: Setting) -> None:
    losses, weights = at_nodes(parameters, setting, lambda p, s: [forward(p, s).loss])
    mean = weights @ losses
    variance = weights @ (losses - mean) ** 2
    exact = loss_over_noise(parameters, setting)
    size = max(1.0, np.abs(losses).max())
    assert exact.mean == pytest.approx(mean.item(), abs=1e-12 * size)
    assert exact.deviation**2 == pytest.approx(variance.item(), abs=1e-12 * size**2)


def at_nodes(
    parameters: Parameters, setting: Setting, of: Callable[[Parameters, Setting], Sequence[float]]
) -> tuple[np.ndarray, np.ndarray]:
    """Values at the nodes of Gauss and Hermite's rule, exact for polynomials up to degree 15."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(8)
    values = [of(parameters, replace(setting, epsilon=float(e))) for e in nodes]
    return np.array(values), weights / weights.sum()


@given(PARAMETERS, SETTINGS)
def test_mean_slopes_are_means_of_slopes(parameters: Parameters, setting: Setting) -> None:
    slopes, weights = at_nodes(parameters, setting, lambda p, s: by_hand(p, s).values())
    size = max(1.0, np.abs(slopes).max())
    expected = (weights @ slopes).tolist()
    assert mean_slopes(parameters, setting).values() == pytest.approx(expected, abs=1e-12 * size)
