import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from vaekit.errors import DataError
from vaekit.figures import kl_bars


def heights(ax: Axes) -> list[float]:
    return [bar.get_height() for bar in ax.patches if isinstance(bar, Rectangle)]


def test_bars_are_sorted_and_carry_the_index_of_their_dimension() -> None:
    (ax,) = kl_bars([np.array([0.5, 2.0, 1.0])]).axes
    assert heights(ax) == [2.0, 1.0, 0.5]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "2", "0"]
    assert ax.get_title(loc="left") == "KL 3.50 nats over 3 dimensions"
    assert ax.get_legend() is None


@pytest.mark.parametrize(("threshold", "collapsed"), [(0.01, 2), (0.6, 3)])
def test_collapsed_dimensions_are_seen(threshold: float, collapsed: int) -> None:
    kl = np.array([0.001, 2.0, 0.5, 0.0])
    (ax,) = kl_bars([kl], threshold).axes
    assert len(heights(ax)) == 4 - collapsed
    (rings,) = ax.lines
    assert np.asarray(rings.get_xdata()).tolist() == list(range(4 - collapsed, 4))
    legend = ax.get_legend()
    assert legend is not None
    (text,) = legend.get_texts()
    assert text.get_text() == f"{collapsed} collapsed: below {threshold:g} nats"


def test_a_panel_for_each_layer(rng: np.random.Generator) -> None:
    layers = [rng.uniform(0.1, 1, size=n) for n in (2, 5)]
    figure = kl_bars(layers, active_units=6)
    for ax, kl in zip(figure.axes, layers, strict=True):
        assert heights(ax) == sorted(kl.tolist(), reverse=True)
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert [title.partition(":")[0] for title in titles] == ["layer 0", "layer 1"]
    assert figure.axes[0].get_title(loc="right") == "6 of 7 active"


def test_many_dimensions_have_no_names(rng: np.random.Generator) -> None:
    (ax,) = kl_bars([rng.uniform(size=200)]).axes
    assert ax.get_xticklabels() == []


@pytest.mark.parametrize(
    "layers",
    [[], [np.zeros(0)], [np.zeros(2)] * 7],
    ids=["none", "empty", "many"],
)
def test_what_cannot_be_drawn(layers: list[np.ndarray]) -> None:
    with pytest.raises(DataError, match="no KL per dimension"):
        kl_bars(layers)


def test_what_is_not_finite() -> None:
    with pytest.raises(DataError, match="not a finite number"):
        kl_bars([np.array([1.0, np.nan])])
