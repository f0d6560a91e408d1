"""Histograms, sorted bars and schedules: what is drawn is what was given."""

import numpy as np
import pytest
from matplotlib.patches import Rectangle, StepPatch

from vaekit.errors import DataError
from vaekit.figures import histograms, schedule_curve, sorted_bars


def test_shares_of_each_set_sum_to_one() -> None:
    rng = np.random.default_rng(0)
    figure = histograms({"a": rng.normal(size=500), "b": rng.normal(size=50)}, "nats", "Two")
    (ax,) = figure.axes
    drawn = [patch for patch in ax.patches if isinstance(patch, StepPatch) and patch.get_fill()]
    sums = [float(np.sum(patch.get_data()[0])) for patch in drawn]
    np.testing.assert_allclose(sums, [1.0, 1.0])
    assert ax.get_xlabel() == "nats"


def test_what_is_far_out_is_at_the_edge() -> None:
    values = np.append(np.linspace(0, 1, 999), 1e6)
    (ax,) = histograms({"a": values}, "x", "Outlier").axes
    assert ax.get_xlim()[1] < 2


def test_one_value_and_a_mark() -> None:
    (ax,) = histograms({"a": np.zeros(5)}, "x", "Flat", {"the end": 3.0}).axes
    assert [text.get_text() for text in ax.texts] == ["the end"]


@pytest.mark.parametrize("series", [{}, {"a": np.array([])}, {"a": np.array([np.nan])}])
def test_nothing_to_draw_a_histogram_of(series: dict[str, np.ndarray]) -> None:
    with pytest.raises(DataError, match="no numbers"):
        histograms(series, "x", "Nothing")


def test_bars_are_sorted_and_named() -> None:
    (ax,) = sorted_bars(np.array([0.1, 0.7, 0.2]), "Use", ("code", "share"), line=1 / 3).axes
    bars = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert [bar.get_height() for bar in bars] == [0.7, 0.2, 0.1]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "2", "0"]


def test_no_bars_of_what_is_no_number() -> None:
    with pytest.raises(DataError, match="no numbers"):
        sorted_bars(np.array([np.inf]), "Use", ("code", "share"))


def test_a_schedule_ends_where_training_did() -> None:
    epochs = np.linspace(0, 100, 11)
    (ax,) = schedule_curve(epochs, epochs / 100, "beta", 30.0).axes
    assert ax.get_title(loc="left") == "beta after 30 epochs: 0.3 of 1"
    seen = np.asarray(ax.lines[1].get_xydata())
    np.testing.assert_allclose(seen[-1], [30.0, 0.3])


def test_a_schedule_of_one_point_is_none() -> None:
    with pytest.raises(DataError, match="points"):
        schedule_curve(np.zeros(1), np.zeros(1), "beta", 1.0)
