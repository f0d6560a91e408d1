"""Distributions of scores, with the examples that have none."""

import numpy as np
import pytest

from vaekit.artifacts import ScoreDistribution
from vaekit.errors import ArtifactError


def test_what_is_not_finite_is_counted_and_left_out() -> None:
    values = np.random.default_rng(0).normal(size=1001)
    whole = ScoreDistribution.of(values)
    assert whole.not_finite == 0
    assert whole.quantiles["0.5"] == np.median(values)
    assert whole.quantiles["0.95"] == np.quantile(values, 0.95) > 0
    assert whole.std == pytest.approx(values.std())
    again = ScoreDistribution.of(np.concatenate([values, [np.nan, -np.inf]]))
    assert again.not_finite == 2
    assert again.model_copy(update={"not_finite": 0}) == whole


def test_one_value_and_none() -> None:
    assert ScoreDistribution.of(np.array([2.0])).quantiles["0.999"] == 2.0
    with pytest.raises(ArtifactError, match="no held-out example a finite score"):
        ScoreDistribution.of(np.array([np.nan]))
