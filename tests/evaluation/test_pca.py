"""The linear baseline against a singular value decomposition."""

import numpy as np
import pytest
import torch

from vaekit.data import InMemorySplit
from vaekit.evaluation.pca import pca_mse
from vaekit.numerics import generator_for
from vaekit.schema import Schema

SCHEMA = Schema(name="t", kind="image", event_shape=(1, 4, 3), dtype="uint8", low=0, high=200)
TRAIN, TEST = (
    InMemorySplit(
        torch.randint(0, 200, (n, 1, 4, 3), generator=generator_for(n), dtype=torch.uint8)
    )
    for n in (90, 40)
)


@pytest.mark.parametrize("components", [1, 5, 11])
def test_is_the_projection_on_singular_vectors(components: int) -> None:
    train, test = (split.shard(0).x.flatten(1).numpy() / 200 for split in (TRAIN, TEST))
    mean = train.mean(0)
    directions = np.linalg.svd(train - mean)[2][:components]
    answer = (test - mean) @ directions.T @ directions + mean
    found = pca_mse(TRAIN.blocks(32), TEST.blocks(7), components, SCHEMA)
    assert found == pytest.approx(np.square(answer - test).mean(), rel=1e-9)


def test_nothing_to_compare_is_none() -> None:
    assert pca_mse(TRAIN.blocks(32), TEST.blocks(7), 12, SCHEMA) is None
    assert pca_mse(InMemorySplit(TRAIN.shard(0).x[:3]).blocks(2), TEST.blocks(7), 3, SCHEMA) is None
    alike = InMemorySplit(torch.full((20, 1, 4, 3), 7, dtype=torch.uint8))
    assert pca_mse(alike.blocks(32), TEST.blocks(7), 3, SCHEMA) is None


def test_is_fitted_on_the_first_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    first = InMemorySplit(TRAIN.shard(0).x[:50])
    expected = pca_mse(first.blocks(50), TEST.blocks(7), 3, SCHEMA)
    monkeypatch.setattr("vaekit.evaluation.pca.MOST_ROWS", 50)
    assert pca_mse(TRAIN.blocks(32), TEST.blocks(7), 3, SCHEMA) == pytest.approx(expected, rel=1e-9)


def test_values_far_from_zero_keep_their_digits() -> None:
    schema = Schema(name="far", kind="vector", event_shape=(5,), dtype="float64")
    x = torch.randn(60, 5, generator=generator_for(4), dtype=torch.float64)
    near, far = (InMemorySplit(x + offset) for offset in (0.0, 1e6))
    expected = pca_mse(near.blocks(7), near.blocks(7), 2, schema)
    # Values of 1e6 are known to 1e-10.
    assert pca_mse(far.blocks(7), far.blocks(7), 2, schema) == pytest.approx(expected, rel=1e-8)
