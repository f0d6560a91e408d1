"""The divergence in pieces: the known values, an integral, and vaekit's own."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import kl_divergence

from vaekit.distributions import Gaussian
from vaekit.lesson import WORKED, Divergence, by_quadrature, worked_lines

MEANS, SIGMAS = st.floats(-5, 5), st.floats(0.05, 5)


@pytest.mark.parametrize(
    ("mu", "sigma", "nats"), [(2.0, 0.5, 2.3181471806), (3.0, 0.1, 6.3075850930), (0.0, 1.0, 0.0)]
)
def test_known_values(mu: float, sigma: float, nats: float) -> None:
    # The values are written with ten decimals.
    assert Divergence.of(mu, sigma).nats == pytest.approx(nats, abs=5.1e-11)


@settings(max_examples=25)
@given(MEANS, SIGMAS)
def test_closed_form_is_the_integral(mu: float, sigma: float) -> None:
    # The quadrature is right to 1e-13, and to 1e-14 of what it finds.
    assert Divergence.of(mu, sigma).nats == pytest.approx(
        by_quadrature(mu, sigma), rel=1e-9, abs=1e-11
    )


@given(MEANS, SIGMAS)
def test_is_that_of_vaekit(mu: float, sigma: float) -> None:
    loc, log_scale, zero = torch.tensor([mu, sigma, 0.0], dtype=torch.float64)
    theirs = kl_divergence(Gaussian(loc, log_scale.log()), Gaussian(zero, zero)).item()
    assert Divergence.of(mu, sigma).nats == pytest.approx(theirs, rel=1e-13, abs=1e-15)


@given(MEANS, SIGMAS)
def test_slopes(mu: float, sigma: float) -> None:
    d = Divergence.of(mu, sigma)
    assert d.slope_in_mu == mu
    assert d.slope_in_log_variance >= -0.5
    # d/ds = d/dsigma sigma / 2
    assert d.slope_in_log_variance == pytest.approx(d.slope_in_sigma * d.sigma / 2, abs=1e-13)
    h = 1e-6
    wider, narrower = (Divergence(mu, d.log_variance + side).nats for side in (h, -h))
    assert (wider - narrower) / (2 * h) == pytest.approx(d.slope_in_log_variance, abs=1e-7)


def test_four_settings_are_worked() -> None:
    assert len(WORKED) == 4
    assert sum(Divergence.of(*case).nats == 0 for case in WORKED) == 1
    assert "2.3181471806" in worked_lines(2.0, 0.5)
    assert "6.3075850930" in worked_lines(3.0, 0.1)
