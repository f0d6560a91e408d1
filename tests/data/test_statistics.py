"""Moments in one pass: those of numpy in two, gaps included, however rows are blocked."""

from collections.abc import Callable

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vaekit.data import (
    Dataset,
    GreySpec,
    InMemorySplit,
    ShardedSplit,
    StandardizeSpec,
    statistics,
)
from vaekit.data.moments import moments
from vaekit.schema import Schema


@given(
    arrays(np.float64, (23, 2), elements=st.floats(-1e6, 1e6)),
    arrays(np.bool_, (23, 2)),
    st.integers(1, 23),
)
def test_blocks_merge_to_the_moments_of_all(x: np.ndarray, gaps: np.ndarray, size: int) -> None:
    x = np.where(gaps, np.nan, x)
    found = moments(torch.from_numpy(x).split(size))
    for column in range(2):
        seen = x[~gaps[:, column], column]
        assert found.count[column] == len(seen)
        mean, std = (seen.mean(), seen.std()) if len(seen) else (0.0, 0.0)
        # 23 sums of numbers up to 1e6, each rounded to 2^-53 of it.
        np.testing.assert_allclose(found.mean[column], mean, rtol=1e-12, atol=1e-8)
        np.testing.assert_allclose(found.std[column], std, rtol=1e-7, atol=1e-8)
        assert len(np.unique(seen)) > 1 or found.std[column] == 0


def test_large_offsets_do_not_cancel() -> None:
    x = torch.tensor([1e9, 1e9 + 1, 1e9 + 2], dtype=torch.float64)[:, None].repeat(1000, 1)
    # The mean is rounded to 2^-53 of 1e9, which is 1e-7 of the deviation; a sum of squares
    # would be rounded to 2^-53 of 1e18, and leave nothing.
    assert abs(float(moments(x.split(7)).std) - (2 / 3) ** 0.5) < 1e-7


def test_statistics_are_those_of_the_expectation(bytes_set: Dataset) -> None:
    found = statistics(bytes_set.split("train"), GreySpec().build(bytes_set))
    grey = bytes_set.split("train").rows(0, 80).x.double() / 255
    assert found.mean.dtype == found.std.dtype == torch.float32
    torch.testing.assert_close(found.mean, grey.mean(0).float())
    torch.testing.assert_close(found.std, grey.std(0, correction=0).float())


def test_streams_are_read_once(stream: Callable[..., tuple[ShardedSplit, list[int]]]) -> None:
    split, log = stream(3000, 3000, 3000)
    schema = Schema(name="n", kind="vector", event_shape=(1,), dtype="int64")
    found = statistics(split, StandardizeSpec().unfitted(schema))
    assert float(found.mean) == 4499.5
    assert log == [0, 3000, 6000]


def test_kept_examples_have_no_gaps() -> None:
    x = torch.tensor([[1.0, 4.0], [float("nan"), 6.0], [3.0, float("nan")]])
    schema = Schema(name="n", kind="vector", event_shape=(2,), dtype="float32", missing="nan")
    transform = StandardizeSpec().unfitted(schema)
    found = statistics(InMemorySplit(x), transform)
    assert found.examples is not None
    assert found.examples.tolist() == [[1.0, 4.0], [2.0, 6.0], [3.0, 5.0]]
    few = statistics(InMemorySplit(x), transform, most_examples=2).examples
    assert few is not None
    assert len(few) == 2
