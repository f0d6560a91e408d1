"""What sweeps and searches go over."""

import pytest

from vaekit.errors import SpecError
from vaekit.runs.over import Choice, Range, axes_over


def test_values_and_ranges() -> None:
    axes = axes_over(["a.b=1e-4..1e-2:log", "c=8..64", "d=-1..0.5", "e=x, y,x", "f=[1,2]"], "It")
    assert axes == {
        "a.b": Range(1e-4, 1e-2, is_log=True, is_whole=False),
        "c": Range(8, 64, is_log=False, is_whole=True),
        "d": Range(-1, 0.5, is_log=False, is_whole=False),
        "e": Choice(("x", "y")),
        "f": Choice(("[1,2]",)),
    }
    assert [axis.ends for axis in axes.values() if isinstance(axis, Range)] == [
        ("0.0001", "0.01"), ("8", "64"), ("-1.0", "0.5")
    ]  # fmt: skip


@pytest.mark.parametrize(
    "over", ["a=2..1", "a=1..1", "a=0..1:log", "a=1..x", "a=1..", "a=..2", "a=1..inf", "a=nan..1"]
)
def test_what_is_no_range(over: str) -> None:
    with pytest.raises(SpecError, match=r"It cannot go over this(.|\n)*LOW\.\.HIGH"):
        axes_over([over], "It")
