"""Both estimators are unbiased, and scatter as the page says."""

from dataclasses import replace

import pytest

from vaekit.lesson import Parameters, Setting
from vaekit.lesson.estimators import (
    ESTIMATORS,
    Estimator,
    measure,
    measure_on_a_wave,
    reconstruction_term,
)

DRAWS = 100_000
F = reconstruction_term(Parameters(), Setting(), mu=0.6)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("sigma", [0.05, 0.5, 2.0])
@pytest.mark.parametrize("dimensions", [1, 5])
def test_mean_and_variance(estimator: Estimator, sigma: float, dimensions: int) -> None:
    f = replace(F, dimensions=dimensions)
    found = measure(f, estimator, sigma, DRAWS, seed=5)
    # Six standard errors, estimated from the same draws.
    assert abs(found.mean - f.slope) < 6 * found.standard_error
    assert abs(found.variance - f.exact_variance(estimator, sigma)) < 6 * found.variance_error


def test_the_test_would_notice_a_bias() -> None:
    found = measure(F, "score function, baseline", 0.5, DRAWS, seed=5)
    assert abs(found.mean - 1.05 * F.slope) > 6 * found.standard_error


def test_reparameterisation_wins_on_a_quadratic_at_every_width() -> None:
    for sigma in (0.01, 0.1, 1.0, 10.0):
        plain, score, baseline = (F.exact_variance(e, sigma) for e in ESTIMATORS)
        assert plain < baseline < score


def test_in_the_limit_of_a_narrow_q() -> None:
    plain, score, baseline = (F.exact_variance(e, 1e-4) for e in ESTIMATORS)
    assert plain == pytest.approx(0, abs=1e-6)
    assert score == pytest.approx(F.value**2 / 1e-8, rel=1e-3)
    assert baseline == pytest.approx(2 * F.slope**2, rel=1e-3)


def test_the_score_function_wins_on_a_wave() -> None:
    found = measure_on_a_wave(10.0, DRAWS, seed=0)
    plain, score = found["reparameterisation"], found["score function"]
    # E[cos^2] and E[sin^2 epsilon^2] are 1/2 but for e^-200.
    assert abs(plain.variance - 50) < 6 * plain.variance_error
    assert abs(score.variance - 0.5) < 6 * score.variance_error
    assert abs(plain.mean) < 6 * plain.standard_error
