"""Conditions become numbers, or are refused with a way out."""

from typing import Any

import numpy as np
import pytest

from vaekit.condition import Condition, encoded
from vaekit.errors import SpecError

LABEL = Condition(name="label", num_classes=3)


@pytest.mark.parametrize(
    ("values", "n", "rows"),
    [
        (1, 2, [[0, 1, 0], [0, 1, 0]]),
        ([2, 0], 2, [[0, 0, 1], [1, 0, 0]]),
        (np.array([2.0]), 1, [[0, 0, 1]]),
        (np.zeros(0, np.int64), 0, []),
    ],
)
def test_one_for_all_and_one_for_each(values: Any, n: int, rows: list[list[int]]) -> None:
    c = encoded([LABEL], {"label": values}, n, "m")
    assert c is not None
    assert (c.dtype, c.shape) == (np.float32, (n, 3))
    assert c.tolist() == rows


def test_a_model_without_conditions_needs_none() -> None:
    assert encoded([], None, 4, "m") is None
    assert encoded([], {}, 4, "m") is None


@pytest.mark.parametrize(
    ("given", "n", "said"),
    [
        (None, 1, "needs to know the label"),
        ({}, 1, "needs to know the label"),
        ({"label": 3}, 1, "does not know this label"),
        ({"label": -1}, 1, "does not know this label"),
        ({"label": 0.5}, 1, "does not know this label"),
        ({"label": float("nan")}, 1, "does not know this label"),
        ({"label": "seven"}, 1, "does not know this label"),
        ({"label": [0, 1]}, 3, "not one label for each example"),
        ({"label": 0, "colour": 1}, 1, "not conditioned on 'colour'"),
    ],
)
def test_what_is_refused(given: dict[str, Any] | None, n: int, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        encoded([LABEL], given, n, "m")


def test_a_model_without_conditions_takes_none() -> None:
    with pytest.raises(SpecError, match="not conditioned on 'label'"):
        encoded([], {"label": 1}, 1, "m")
