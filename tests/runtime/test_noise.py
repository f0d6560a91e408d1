"""Noise that every program draws alike."""

import numpy as np
import pytest

from vaekit.runtime import standard_noise


def test_the_numbers_themselves_are_kept() -> None:
    """Drawn once; a change of these breaks every score that was ever stored."""
    drawn = standard_noise((2, 2), "normal", 7, "score", "z")
    assert drawn.ravel().tolist() == pytest.approx(NORMAL, abs=1e-12)
    assert standard_noise((2,), "uniform", 7).tolist() == pytest.approx(UNIFORM, abs=1e-15)


NORMAL = [2.8003121828347566, 2.397261842946328, 0.08743019251566288, -0.24150426863416347]
UNIFORM = [0.5702867656542032, 0.22966444129846114]


def test_moments_are_those_of_a_standard_normal() -> None:
    x = standard_noise((100_000,), "normal", 0)
    error = 5 / np.sqrt(len(x))  # five standard errors of a mean, and wider for the others
    assert abs(x.mean()) < error
    assert abs((x**2).mean() - 1) < 1.5 * error
    assert abs((x**3).mean()) < 4 * error
    assert abs((x**4).mean() - 3) < 10 * error
    assert abs((x[:-1] * x[1:]).mean()) < error
    assert np.isfinite(x).all()


def test_uniform_stays_inside() -> None:
    u = standard_noise((100_000,), "uniform", 0)
    assert 0 < u.min() < 1e-3
    assert 1 - 1e-3 < u.max() < 1
    assert abs(u.mean() - 0.5) < 5 * np.sqrt(1 / 12 / len(u))


def test_it_depends_on_seed_and_purpose_and_not_on_its_length() -> None:
    first = standard_noise((5, 3), "normal", 1, "score")
    assert np.array_equal(standard_noise((9, 3), "normal", 1, "score")[:5], first)
    assert not np.isclose(standard_noise((5, 3), "normal", 2, "score"), first).any()
    assert not np.isclose(standard_noise((5, 3), "normal", 1, "sample"), first).any()
    assert standard_noise((0, 3), "normal", 1).shape == (0, 3)
