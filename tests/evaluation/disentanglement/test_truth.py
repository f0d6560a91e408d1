"""Codes of which it is known what every score has to say."""

import math

import numpy as np
import pytest
import torch

from vaekit.data import Factors
from vaekit.errors import DataError
from vaekit.evaluation import (
    dci,
    disentanglement,
    factor_vae_score,
    mutual_information_gap,
    separated_attribute_predictability,
)
from vaekit.evaluation.disentanglement.dci import disentanglement_and_completeness

SIZES = (3, 4, 8, 6)
SCORES = (
    "mig", "sap", "dci_disentanglement", "dci_completeness", "dci_informativeness",
    "factor_vae_score",
)  # fmt: skip


@pytest.fixture(scope="module")
def factors() -> Factors:
    """Every combination of four factors, four times."""
    grid = np.stack(np.unravel_index(np.arange(math.prod(SIZES)), SIZES), axis=1)
    values = torch.from_numpy(np.tile(grid, (4, 1)).astype(np.int64))
    return Factors(("shape", "scale", "x", "y"), values, categorical=("shape",))


@pytest.fixture(scope="module")
def perfect(factors: Factors) -> np.ndarray:
    """The factors themselves, in another order, each with another sign and size, and a rest."""
    values = factors.values.numpy()[:, [2, 0, 3, 1]] * np.array([1.0, -2.0, 0.5, 3.0])
    rest = 0.01 * np.random.default_rng(1).normal(size=(len(values), 2))
    return np.hstack([values - values.mean(0), rest])


def test_a_code_of_the_factors_is_perfect(factors: Factors, perfect: np.ndarray) -> None:
    scores = disentanglement(perfect, factors, seed=0)
    assert tuple(scores) == SCORES
    # What a histogram of 2304 noisy values finds by chance: 19 x 7 / 4608 nats of ln 8 at most.
    assert scores.pop("mig") == pytest.approx(1, abs=0.02)
    # Guessing one of three shapes from nothing is right once in three times, as is a threshold
    # on noise, by and large.
    assert scores.pop("sap") == pytest.approx((3 + 2 / 3) / 4, abs=0.02)
    assert list(scores.values()) == pytest.approx([1] * 4, abs=1e-3)


def test_noise_is_at_chance(factors: Factors) -> None:
    noise = np.random.default_rng(0).normal(size=(len(factors), 6))
    scores = disentanglement(noise, factors, seed=0)
    assert scores.pop("dci_informativeness") == pytest.approx(
        np.mean(1 / np.array(SIZES)), abs=0.03
    )
    assert scores.pop("factor_vae_score") == pytest.approx(1 / 4, abs=0.05)
    assert list(scores.values()) == pytest.approx([0] * 4, abs=0.03)


def test_a_rotated_code_lies_between(factors: Factors, perfect: np.ndarray) -> None:
    code = perfect[:, :4] / perfect[:, :4].std(0)
    rotation = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]) / 2
    scores = disentanglement(code @ rotation, factors, seed=0)
    assert scores.pop("factor_vae_score") < 0.8
    assert scores.pop("dci_informativeness") > 0.6  # nothing is lost, it is only mixed
    assert max(scores.values()) < 0.2


@pytest.mark.parametrize("column", [0, 3])
def test_order_sign_and_scale_of_dimensions_do_not_matter(
    column: int, factors: Factors, perfect: np.ndarray
) -> None:
    other = perfect[:, ::-1].copy()
    other[:, column] *= -1
    first, second = (disentanglement(code, factors, seed=0) for code in (perfect, other))
    # A bin's edge belongs to the bin above, which mirroring makes the one below.
    assert list(second.values()) == pytest.approx(list(first.values()), abs=0.02)


# -- by hand -------------------------------------------------------------------------------------


def test_mig_by_hand() -> None:
    v = np.array([[0], [0], [1], [1]])
    z = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 1.0]])
    # I(z_1; v) = H(v) = ln 2. Of z_2: H = H(1/4), joint (1/4, 1/4, 1/2).
    of_second = math.log(2) + (0.25 * math.log(4) + 0.75 * math.log(4 / 3)) - 1.5 * math.log(2)
    expected = (math.log(2) - of_second) / math.log(2)
    assert mutual_information_gap(z, v) == pytest.approx(expected, abs=1e-12)
    assert mutual_information_gap(z[:, 1:], v) == pytest.approx(1 - expected, abs=1e-12)


def test_mig_of_two_dimensions_that_tell_the_same_is_zero(perfect: np.ndarray) -> None:
    v = np.arange(40)[:, None] % 4
    assert mutual_information_gap(np.hstack([v, 5.0 - v]), v) == pytest.approx(0, abs=1e-12)


def test_sap_of_a_line_and_noise_is_the_gap_of_squared_correlations() -> None:
    source = np.random.default_rng(0)
    v = source.integers(0, 9, size=(300, 1))
    z = np.hstack([v + source.normal(size=(300, 1)), v + 4 * source.normal(size=(300, 1))])
    first, second = (np.corrcoef(z[:, d], v[:, 0])[0, 1] ** 2 for d in range(2))
    found = separated_attribute_predictability(z, v)
    assert found == pytest.approx(first - second, abs=1e-12)


def test_sap_needs_no_order_of_a_category() -> None:
    v = np.random.default_rng(0).integers(0, 3, size=(600, 1))
    z = np.array([5.0, -1.0, 2.0])[v]  # not in the order of the categories
    still = np.zeros_like(z)
    found = separated_attribute_predictability(np.hstack([z, still]), v, categorical=[0])
    assert found == pytest.approx(1 - 1 / 3, abs=1e-12)  # one value for all is right in one of 3


def test_dci_by_hand() -> None:
    importance = np.array([[0.5, 0.0], [0.5, 0.5], [0.0, 0.5]])
    found, complete = disentanglement_and_completeness(importance)
    # Dimensions 1 and 3 serve one factor; dimension 2, with half of the weight, serves both.
    assert found == pytest.approx(0.5)
    assert complete == pytest.approx(1 - math.log(2) / math.log(3))
    assert disentanglement_and_completeness(np.zeros((2, 2))) == (0, 0)


def test_dci_of_one_dimension_that_serves_all() -> None:
    v = np.stack(np.unravel_index(np.arange(24).repeat(20), (4, 6)), axis=1).astype(np.int64)
    z = np.hstack([6.0 * v[:, :1] + v[:, 1:], np.zeros((len(v), 1))])
    scores = dci(z, v)
    assert scores.disentanglement == pytest.approx(0, abs=1e-9)
    assert (scores.completeness, scores.informativeness) == pytest.approx((1, 1))


def test_factor_vae_score_of_a_code_that_misses_a_factor() -> None:
    v = np.stack(np.unravel_index(np.arange(64).repeat(30), (4, 4, 4)), axis=1).astype(np.int64)
    z = v[:, :2].astype(float)
    # Held factors 1 and 2 are always named; the third is taken for one of them.
    assert factor_vae_score(z, v) == pytest.approx(2 / 3, abs=0.03)
    assert factor_vae_score(0.1 * z, v) == 0  # nothing of it changes enough


def test_the_seed_decides_what_is_drawn(factors: Factors) -> None:
    noise = np.random.default_rng(0).normal(size=(400, 2))
    first, same, other = (disentanglement(noise, factors[:400], seed) for seed in (0, 0, 1))
    assert first == same
    assert first["factor_vae_score"] != other["factor_vae_score"]


@pytest.mark.parametrize("score", [dci, factor_vae_score, mutual_information_gap])
def test_what_cannot_be_scored_is_refused(score) -> None:
    v = np.arange(20)[:, None] % 2
    with pytest.raises(DataError, match="finite"):
        score(np.full((20, 2), np.nan), v)
    with pytest.raises(DataError, match="never changes"):
        score(np.zeros((20, 2)), np.zeros_like(v))
    with pytest.raises(DataError, match="two examples"):
        score(np.zeros((1, 2)), v[:1])
