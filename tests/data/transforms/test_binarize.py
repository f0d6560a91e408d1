"""Binarisation: exact probabilities, and protocols that are what they are called."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from vaekit.data import BinarizeSpec, Dataset, InMemorySplit, Rows, ShardedSplit
from vaekit.errors import SpecError
from vaekit.numerics import generator_for
from vaekit.schema import Schema

DRAWS = 20_000


def schema(dtype: str, high: float = 255) -> Schema:
    return Schema.model_validate(
        {
            "name": "grey",
            "kind": "vector",
            "event_shape": (DRAWS,),
            "dtype": dtype,
            "low": 0,
            "high": high,
        }
    )


@pytest.mark.parametrize(("dtype", "high"), [("uint8", 255), ("float32", 255), ("uint8", 16)])
def test_probability_is_exact_at_every_level(dtype: str, high: int) -> None:
    count = high + 1
    levels = torch.arange(count).to(getattr(torch, dtype))[:, None].expand(count, DRAWS)
    shown = BinarizeSpec().unfitted(schema(dtype, high))(Rows(levels), generator_for(0)).x
    assert set(shown.unique().tolist()) == {0.0, 1.0}
    p = torch.arange(count) / high
    # A mean of n coins has variance p (1 - p) / n, which is 0 at both ends, where the draw has
    # to be exact. Six deviations at one of 256 levels: once in 2e6 seeds.
    deviation = (p * (1 - p) / DRAWS).sqrt()
    assert ((shown.mean(1) - p).abs() <= 6 * deviation).all()
    # Together the levels see a bias that no single one would: the sum of the squares of m
    # normal deviates is m +- sqrt(2 m), within six.
    z = ((shown.mean(1) - p) / deviation)[1:-1]
    assert abs((z**2).sum() - len(z)) < 6 * (2 * len(z)) ** 0.5


@given(st.integers(0, 255), st.integers(1, 255))
def test_threshold_is_a_place_in_the_range(value: int, high: int) -> None:
    transform = BinarizeSpec(protocol="threshold", threshold=0.25).unfitted(schema("uint8", high))
    value = min(value, high)
    x = torch.full((1, DRAWS), value, dtype=torch.uint8)
    assert (transform(Rows(x)).x == float(value / high > 0.25)).all()


def test_dynamic_redraws_and_static_does_not(bytes_set: Dataset) -> None:
    generator = generator_for(0)
    dynamic = BinarizeSpec().build(bytes_set)
    rows = bytes_set.split("train").rows(0, 80)
    assert not torch.equal(dynamic(rows, generator).x, dynamic(rows, generator).x)
    static = BinarizeSpec(protocol="static").build(bytes_set)
    drawn = static.prepare(bytes_set.split("train")).rows(0, 80)
    assert torch.equal(static(drawn, generator).x, static(drawn, generator).x)


def test_static_draws_follow_seed_and_content(bytes_set: Dataset) -> None:
    def drawn(seed: int, split: InMemorySplit) -> torch.Tensor:
        return (
            BinarizeSpec(protocol="static", seed=seed).build(bytes_set).prepare(split).rows(0, 9).x
        )

    black = torch.full((9, 1, 2, 2), 128, dtype=torch.uint8)
    split, longer = InMemorySplit(black), InMemorySplit(torch.cat([black, black]))
    assert torch.equal(drawn(0, split), drawn(0, InMemorySplit(black.clone())))
    assert not torch.equal(drawn(0, split), drawn(1, split))
    assert not torch.equal(drawn(0, split), drawn(0, longer))  # no coins shared between splits


def test_static_keeps_labels_and_is_compact(bytes_set: Dataset) -> None:
    split = InMemorySplit(bytes_set.split("test").rows(0, 20).x, torch.arange(20))
    static = BinarizeSpec(protocol="static").build(bytes_set)
    prepared = static.prepare(split)
    assert prepared.rows(0, 20).x.element_size() == 1
    labels = prepared.labels()
    assert labels is not None
    assert labels.tolist() == list(range(20))
    assert static.prepare(prepared) is prepared


def test_static_refuses_values_that_were_not_drawn(bytes_set: Dataset) -> None:
    static = BinarizeSpec(protocol="static").build(bytes_set)
    raw = bytes_set.split("test").rows(0, 2)
    with pytest.raises(SpecError, match=r"Transform\.prepare"):
        static(raw)
    assert torch.equal(static.expectation(raw.x), raw.x / 255)  # a served request


def test_static_refuses_streams_and_gaps(
    bytes_set: Dataset, stream: Callable[..., tuple[ShardedSplit, list[int]]]
) -> None:
    spec = BinarizeSpec(protocol="static")
    with pytest.raises(SpecError, match="use protocol = 'dynamic'"):
        spec.build(bytes_set).prepare(stream(3)[0])
    gaps = bytes_set.schema.model_copy(update={"dtype": "float32", "missing": "nan"})
    with pytest.raises(SpecError, match=r"use transform\.protocol = 'dynamic'"):
        spec.unfitted(gaps)


@pytest.mark.parametrize("threshold", [-0.1, 1.0])
def test_threshold_outside_the_range_is_refused(threshold: float) -> None:
    with pytest.raises(ValidationError, match="threshold"):
        BinarizeSpec(protocol="threshold", threshold=threshold)
