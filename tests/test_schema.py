"""The door for values: what fits passes, and the first thing that does not is named."""

import subprocess
import sys

import numpy as np
import pytest
from pydantic import ValidationError

from vaekit.errors import DataError
from vaekit.schema import Schema

PIXELS = Schema(name="pixels", kind="image", event_shape=(1, 2, 2), dtype="uint8", low=0, high=15)
TABLE = Schema(
    name="table", kind="vector", event_shape=(2,), dtype="float32", high=1.0, columns=("a", "b")
)
GAPPY = TABLE.model_copy(update={"missing": "nan"})


def test_what_fits_passes() -> None:
    PIXELS.check(np.full((3, 1, 2, 2), 15, np.uint8))
    TABLE.check(np.array([[-1e30, 1.0]], np.float32))
    GAPPY.check(np.array([[np.nan, 1.0]], np.float32))
    TABLE.check(np.empty((0, 2), np.float32))


@pytest.mark.parametrize(
    ("schema", "values", "told"),
    [
        (PIXELS, np.zeros((3, 2, 2), np.uint8), ["shape (examples, 1, 2, 2)", "shape (3, 2, 2)"]),
        (PIXELS, np.uint8(0), ["shape ()"]),
        (PIXELS, np.zeros((3, 1, 2, 2), np.int64), ["expected: uint8", "int64", "astype('uint8')"]),
        (PIXELS, np.full((2, 1, 2, 2), 16, np.uint8), ["[0, 0, 0, 0]", "0 to 15", "found:    16"]),
        (TABLE, np.array([[0, 1], [2, 0]], np.float32), ["index [1, 0] (column 'a')", "2.0"]),
        (TABLE, np.array([[0, 0], [0, np.nan]], np.float32), ["[1, 1] (column 'b')", "missing ="]),
        (TABLE, np.array([[-np.inf, 0]], np.float32), ["index [0, 0]", "found:    -inf"]),
        (GAPPY, np.array([[np.nan, np.inf]], np.float32), ["index [0, 1]", "NaN where missing"]),
        (GAPPY, np.array([[np.nan, 1.5]], np.float32), ["index [0, 1]", "found:    1.5"]),
    ],
)
def test_what_does_not_fit_is_named(schema: Schema, values: np.ndarray, told: list[str]) -> None:
    with pytest.raises(DataError) as raised:
        schema.check(np.asarray(values), where="x.npy")
    message = str(raised.value)
    assert "where:    x.npy" in message
    assert "expected: " in message
    assert "do: " in message
    assert all(part in message for part in told), message


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"event_shape": (4,)}, "does not fit kind 'image'"),
        ({"event_shape": (1, 0, 2)}, "empty side"),
        ({"kind": "vector", "event_shape": (3,), "columns": ("a",)}, "1 columns"),
        ({"low": 15.0}, "not below"),
        ({"high": 14.5}, "whole numbers"),
        ({"missing": "nan"}, "floating-point"),
        ({"dtype": "complex64"}, "dtype"),
        ({"color": "red"}, "color"),
    ],
)
def test_contradictions_are_refused(change: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Schema.model_validate(PIXELS.model_dump() | change)


def test_survives_json() -> None:
    assert Schema.model_validate_json(TABLE.model_dump_json()) == TABLE


def test_needs_no_torch() -> None:
    program = "import sys, vaekit.schema; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
