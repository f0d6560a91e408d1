"""Statistics on curves whose answer is known."""

import math

import numpy as np
import pytest

from vaekit.studies.dynamics.statistics import (
    change_over_last_doubling,
    correlation,
    detrended,
    lagged,
    rank_correlation,
    rates,
    running_median,
    slope,
    turn,
)


def test_a_fall_and_a_rise() -> None:
    values = np.concatenate([np.linspace(0, -4, 41), np.linspace(-4, -3, 41)])
    found = turn(values)
    assert (found.fall, found.rise) == (pytest.approx(4, abs=0.05), pytest.approx(1, abs=0.05))


def test_an_outlier_is_no_minimum() -> None:
    values = np.linspace(0, -2, 60)
    values[30] = -50
    assert turn(values).rise == 0
    assert running_median(values).min() >= -2


def test_what_only_falls_does_not_rise() -> None:
    assert turn(np.linspace(0, -3, 50)).rise == 0


def test_rates_of_a_straight_line_are_its_slope() -> None:
    assert rates(3.0 * np.arange(24.0), block=4).tolist() == [12.0] * 5


def test_a_common_trend_is_not_taken_for_a_common_course() -> None:
    noise = np.random.default_rng(0).normal(size=(2, 200))
    one, other = np.linspace(0, 40, 200) + noise
    assert correlation(one, other) > 0.9
    # Independent noise: the correlation's standard error is 1 / sqrt(200) = 0.07.
    assert abs(correlation(detrended(one), detrended(other))) < 0.25


def test_too_little_says_nothing() -> None:
    assert math.isnan(correlation(np.arange(3.0), np.arange(3.0)))
    assert math.isnan(correlation(np.arange(9.0), np.ones(9)))
    assert math.isnan(rank_correlation([1.0, 2.0], [1.0, 2.0]))
    assert len(detrended(np.arange(3.0))) == 0


def test_the_lag_at_which_one_follows_the_other() -> None:
    driver = np.random.default_rng(1).normal(size=100)
    found = lagged(driver, np.roll(driver, 1))
    assert max(found, key=lambda lag: found[lag]) == "+1"
    assert found["+1"] == pytest.approx(1.0)


def test_rank_correlation_with_ties_is_that_of_mean_ranks() -> None:
    # Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: 4.5 / sqrt(4.5 * 5).
    assert rank_correlation([0, 1, 1, 5], [0, 1, 2, 3]) == pytest.approx(4.5 / math.sqrt(22.5))


def test_change_over_the_last_doubling() -> None:
    step = 10 ** np.linspace(0, 4, 113)
    found = change_over_last_doubling(step, np.log(step))
    # Both ends are medians of neighbours, which lie 8 % apart in time.
    assert found == pytest.approx(math.log(2), abs=0.1)


def test_slope_of_a_power() -> None:
    added = [-3.0, -1.0, 0.0, 1.0, 3.0]
    assert slope(added, [math.exp(0.7 * x) for x in added], 2.0) == pytest.approx(0.7)
    assert math.isnan(slope(added, [-1.0] * 5, 2.0))
