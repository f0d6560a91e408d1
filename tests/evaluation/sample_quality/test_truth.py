"""Distances, balls and shares that are known beforehand."""

import math

import pytest
import torch
from torch import Tensor

from vaekit.errors import DataError
from vaekit.evaluation import (
    class_coverage,
    frechet_distance,
    frechet_distance_of_gaussians,
    precision_recall,
)
from vaekit.numerics import generator_for


def normal(n: int, features: int, key: int = 0) -> Tensor:
    source = generator_for(key, "features")
    return torch.randn(n, features, generator=source, dtype=torch.float64)


def rotation(size: int) -> Tensor:
    return torch.linalg.qr(normal(size, size, 9)).Q


# -- Frechet distance ----------------------------------------------------------------------------


def test_gaussians_that_share_their_axes_have_a_closed_form() -> None:
    axes, mean = rotation(5), torch.arange(5.0).double()
    a = torch.tensor([4.0, 1.0, 0.25, 0.0, 9.0]).double()
    b = torch.tensor([1.0, 1.0, 4.0, 2.0, 0.0]).double()
    covariances = [(axes * spread) @ axes.T for spread in (a, b)]
    found = frechet_distance_of_gaussians(mean, covariances[0], 2 * mean, covariances[1])
    expected = mean.square().sum() + (a.sqrt() - b.sqrt()).square().sum()
    # The root of an eigenvalue of 1e-16, which should be zero, is 1e-8.
    assert found == pytest.approx(expected.item(), abs=1e-6)


def test_is_that_of_the_eigenvalues_of_the_product() -> None:
    a, b = (part.T @ part / 40 for part in (normal(40, 6, 1), normal(40, 6, 2)))
    zero = torch.zeros(6).double()
    # tr (A B)^1/2 by the eigenvalues of A B, which are real although A B is not symmetric.
    root = torch.linalg.eigvals(a @ b).real.sqrt().sum()
    expected = (a.trace() + b.trace() - 2 * root).item()
    assert frechet_distance_of_gaussians(zero, a, zero, b) == pytest.approx(expected, abs=1e-10)


def test_a_set_is_no_distance_from_itself_and_a_shift_is_squared() -> None:
    x = normal(500, 8)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-10)
    assert frechet_distance(x, x.flip(0) + 3) == pytest.approx(8 * 9, abs=1e-9)
    assert frechet_distance(x, 2 * (x - x.mean(0)) + x.mean(0)) == pytest.approx(
        x.var(0).sum().item(), abs=1e-9
    )


def test_fewer_examples_than_features_are_no_trouble() -> None:
    few = normal(5, 40)
    assert frechet_distance(few, few) == pytest.approx(0, abs=1e-5)
    assert frechet_distance(few.float(), few.float() + 1) == pytest.approx(40, abs=1e-4)


def test_distance_is_symmetric() -> None:
    a, b = normal(100, 4, 1), 3 * normal(60, 4, 2) + 1
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), abs=1e-9)


# -- precision and recall ------------------------------------------------------------------------


def test_equal_and_disjoint_sets() -> None:
    x = normal(300, 5)
    assert precision_recall(x, x) == (1, 1)
    assert precision_recall(x, x + 100) == (0, 0)


def test_samples_of_one_mode_are_precise_and_samples_of_more_are_not() -> None:
    left, right = normal(200, 3, 1), normal(200, 3, 2) + 100
    both = torch.cat([left, right])
    fresh = normal(200, 3, 3)
    precision, recall = precision_recall(both, fresh)
    assert precision > 0.8
    assert 0.4 < recall <= 0.5
    precision, recall = precision_recall(fresh, both)
    assert 0.4 < precision <= 0.5
    assert recall > 0.8


def test_a_ball_reaches_to_the_neighbour_of_that_number() -> None:
    data = torch.tensor([[0.0], [1.0], [3.0]])  # to the second neighbour: 3, 2 and 3
    samples = torch.tensor([[-2.9], [-3.1], [5.9], [6.1]])
    # From the outside each ball that could reach is that of the outermost point.
    assert precision_recall(data, samples, neighbours=2)[0] == 0.5
    # To the first neighbour: 1, 1 and 2, so 3 - 2 = 1 and 3 + 2 = 5 are the ends of the last.
    assert precision_recall(data, samples, neighbours=1)[0] == 0
    assert precision_recall(data, samples - 1, neighbours=1)[0] == 0.25


def test_pieces_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    module = importlib.import_module("vaekit.evaluation.sample_quality.precision_recall")
    data, samples = normal(70, 4, 1), 1.5 * normal(50, 4, 2)
    whole = precision_recall(data, samples)
    monkeypatch.setattr(module, "_PAIRS_AT_A_TIME", 160)
    assert precision_recall(data, samples) == whole
    assert 0 < whole[0] < 1


# -- classes -------------------------------------------------------------------------------------


def test_coverage_is_the_effective_number_of_classes() -> None:
    assert class_coverage(torch.arange(30) % 10, 10) == pytest.approx(1)
    assert class_coverage(torch.full((7,), 3), 10) == pytest.approx(0.1)
    three_to_one = torch.tensor([0, 0, 0, 1])
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert class_coverage(three_to_one, 2) == pytest.approx(math.exp(entropy) / 2)


def test_too_few_are_refused() -> None:
    x = normal(3, 2)
    with pytest.raises(DataError, match="more than 3 points"):
        precision_recall(x, x)
    with pytest.raises(DataError, match="two examples"):
        frechet_distance(x[:1], x)
    with pytest.raises(DataError, match="no examples"):
        class_coverage(torch.zeros(0, dtype=torch.int64), 3)
