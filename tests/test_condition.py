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


WEIGHT = Condition(name="weight", mean=60.0, std=8.0, low=40.0, high=90.0)


@pytest.mark.parametrize(
    ("values", "n", "rows"),
    [
        (64, 2, [[0.5], [0.5]]),
        ([60.0, 52.0], 2, [[0.0], [-1.0]]),
        (np.array([200], np.uint8), 1, [[17.5]]),
        (True, 1, [[-7.375]]),
    ],
)
def test_numbers_are_standardised(values: Any, n: int, rows: list[list[float]]) -> None:
    c = encoded([WEIGHT], {"weight": values}, n, "m")
    assert c is not None
    assert (c.dtype, c.tolist()) == (np.float32, rows)


def test_conditions_lie_side_by_side_in_their_order() -> None:
    told = {"label": [2, 0], "weight": 68}
    c = encoded([WEIGHT, LABEL], told, 2, "m")
    assert c is not None
    assert c.tolist() == [[1, 0, 0, 1], [1, 1, 0, 0]]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"label": 1}, r"needs to know the weight(.|\n)*weight=40 to weight=90"),
        ({"label": 1}, r"--condition weight=60 --condition label=0, or condition="),
        ({"weight": float("nan"), "label": 1}, "does not know this weight(.|\n)*finite"),
        ({"weight": float("inf"), "label": 1}, "does not know this weight(.|\n)*finite"),
        ({"weight": 1e300, "label": 1}, "does not know this weight(.|\n)*32 bits"),
        ({"weight": "heavy", "label": 1}, "does not know this weight(.|\n)*heavy"),
        ({"weight": None, "label": 1}, "does not know this weight"),
        ({"weight": [1.0, 2.0], "label": 1}, "not one weight for each"),
        ({"weight": 50, "label": 1, "height": 2}, "not conditioned on 'height'"),
    ],
)
def test_what_is_refused_of_numbers(given: dict[str, Any], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        encoded([WEIGHT, LABEL], given, 1, "m")


def test_a_condition_of_format_1_is_a_class() -> None:
    assert Condition.model_validate({"name": "label", "num_classes": 3}) == LABEL
