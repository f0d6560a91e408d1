"""The classifier two-sample test where the answer is known."""

import numpy as np
import pytest
from scipy.stats import binom

from vaekit.diagnosis import two_sample_test

TESTS, POINTS, DIMENSIONS = 60, 80, 3


def draws(seed: int, n: int = POINTS, scale: float = 1.0, shift: float = 0.0) -> np.ndarray:
    return shift + scale * np.random.default_rng(seed).normal(size=(n, DIMENSIONS))


@pytest.mark.slow
def test_false_alarms_are_as_rare_as_the_level_says() -> None:
    found = [
        two_sample_test(draws(2 * i), draws(2 * i + 1), seed=i).p_value < 0.1 for i in range(TESTS)
    ]
    # A level of 0.1 rejects a tenth; the bound is what a binomial count exceeds in 1 of 1,000.
    assert sum(found) <= binom.ppf(0.999, TESTS, 0.1)
    assert sum(found) > 0  # else it would be no test of that level


def test_areas_of_draws_of_one_distribution_are_about_a_half() -> None:
    areas = [two_sample_test(draws(2 * i), draws(2 * i + 1), seed=i).area for i in range(10)]
    # 40 unseen points on each side: a standard deviation of 0.065, over 10 tests 0.02.
    assert abs(np.mean(areas) - 0.5) < 0.08


@pytest.mark.parametrize("changed", [{"scale": 4.0}, {"scale": 0.2}, {"shift": 4.0}])
def test_what_is_wider_narrower_or_elsewhere_is_told_apart(changed: dict[str, float]) -> None:
    found = two_sample_test(draws(0, 400), draws(1, 400, **changed), seed=0)
    assert found.area > 0.9
    assert found.p_value < 1e-10


def test_the_same_seed_says_the_same() -> None:
    x, y = draws(0), draws(1)
    assert two_sample_test(x, y, seed=3) == two_sample_test(x, y, seed=3)
