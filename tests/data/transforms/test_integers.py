"""Whole numbers: exact levels, and noise that stays inside them."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vaekit.data import Dataset, DequantizeSpec, IntegersSpec, Rows
from vaekit.data.transforms import Integers
from vaekit.errors import SpecError
from vaekit.numerics import generator_for
from vaekit.schema import Schema


def counts(low: int, high: int, dtype: str = "int64") -> Schema:
    return Schema.model_validate(
        {
            "name": "n",
            "kind": "vector",
            "event_shape": (1,),
            "dtype": dtype,
            "low": low,
            "high": high,
        }
    )


@given(st.integers(-300, 300), st.integers(2, 40), st.integers(1, 20))
def test_levels_are_those_of_exact_arithmetic(low: int, levels: int, width: int) -> None:
    raw = torch.arange(low, low + levels * width)[:, None]
    transform = IntegersSpec(levels=levels).unfitted(counts(low, low + levels * width - 1))
    found = transform(Rows(raw)).x.flatten()
    assert found.tolist() == [level for level in range(levels) for _ in range(width)]
    middles = raw.float().reshape(levels, width).mean(1)
    torch.testing.assert_close(transform.inverse(found[::width]), middles)


def test_bytes_in_four_levels(bytes_set: Dataset) -> None:
    transform = IntegersSpec(levels=4).build(bytes_set)
    assert isinstance(transform, Integers)
    assert transform.levels == 4
    x = torch.tensor([0, 63, 64, 255], dtype=torch.uint8).reshape(1, 1, 2, 2)
    assert transform(Rows(x)).x.flatten().tolist() == [0, 0, 1, 3]
    assert transform.inverse(torch.tensor([0.0, 3.0])).tolist() == [31.5, 223.5]


@pytest.mark.parametrize(
    ("schema", "levels", "told"),
    [
        (counts(0, 10, "float32"), None, "float32 values"),
        (counts(0, 10**6), None, "at most 65536 levels"),
        (counts(0, 3), 5, "a divisor of 4"),
        (counts(0, 16), 4, "a divisor of 17"),
    ],
)
def test_what_cannot_be_counted_is_refused(schema: Schema, levels: int | None, told: str) -> None:
    with pytest.raises(SpecError, match=told):
        IntegersSpec(levels=levels).unfitted(schema)


def test_dequantised_values_stay_in_their_level() -> None:
    schema = counts(-3, 252)
    raw = torch.arange(-3, 253)[:, None].expand(256, 20_000)
    transform = DequantizeSpec().unfitted(schema)
    x = transform(Rows(raw), generator_for(0)).x
    assert x.min() > 0
    assert x.max() < 1
    # Float32 may round the upper end of a level up to its edge, and no further.
    level = x.double() * 256 - (raw + 3)
    assert level.min() >= 0
    assert level.max() <= 1


def test_both_ends_stay_open(monkeypatch: pytest.MonkeyPatch) -> None:
    transform = DequantizeSpec().unfitted(counts(0, 255))
    ends = Rows(torch.tensor([[0], [255]]))
    for noise in (0.0, 1 - 2**-24):
        monkeypatch.setattr(torch, "rand", lambda shape, noise=noise, **_: torch.full(shape, noise))
        x = transform(ends).x
        assert (x > 0).all()
        assert (x < 1).all()
