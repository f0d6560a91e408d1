"""Rulings follow from numbers."""

import math

import pytest

from vaekit.studies import Claim, verdict_table


def claim(values: dict[str, list[float]]) -> Claim:
    return Claim("it grows", "section 1", "slope per epoch", values, above=0.0, below=10.0)


@pytest.mark.parametrize(
    ("values", "ruling"),
    [
        ({"beta 1": [1.0, 2.0], "beta 4": [3.0]}, "supported"),
        ({"beta 1": [-1.0], "beta 4": [11.0]}, "not supported"),
        ({"beta 1": [1.0], "beta 4": [-1.0]}, "depends"),
        ({"beta 1": [1.0, -1.0]}, "depends"),
        ({"beta 1": [math.nan]}, "not supported"),
        ({}, "not measured"),
    ],
)
def test_the_numbers_decide(values: dict[str, list[float]], ruling: str) -> None:
    assert claim(values).ruling == ruling


def test_a_row_shows_what_decided() -> None:
    (row,) = verdict_table([claim({"beta 1": [1.0, 2.0], "beta 4": [-3.0]})])
    assert row["holds"] == "above 0 and below 10"
    assert row["measured"] == "beta 1: 1.5 (1 to 2, 2 seeds); beta 4: -3"
    assert row["verdict"] == "depends"
