"""The IDX format: written bytes read back, and every kind of damage is named."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from vaekit.data.files.idx import idx_bytes, read_idx
from vaekit.errors import DataError

WHOLE = idx_bytes(np.zeros((3, 2, 2), np.uint8))


@given(arrays(np.uint8, array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5)))
def test_what_is_written_is_read(array: np.ndarray) -> None:
    found = read_idx(idx_bytes(array), "memory")
    assert found.shape == array.shape
    assert (found == array).all()


@given(st.integers(0, len(WHOLE) - 1))
def test_truncation_is_refused(length: int) -> None:
    with pytest.raises(DataError, match=r"cut\.idx"):
        read_idx(WHOLE[:length], "cut.idx")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "an empty file"),
        (b"\x89PNG\r\n", "89 50 4e 47"),
        (b"\0\0\x0d" + WHOLE[3:], "00 00 0d"),
        (WHOLE + b"\0", "29 bytes"),
    ],
    ids=["empty", "png", "floats", "too long"],
)
def test_other_files_are_refused(content: bytes, told: str) -> None:
    with pytest.raises(DataError, match=told):
        read_idx(content, "x.idx")
