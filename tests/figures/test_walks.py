"""Interpolations and traversals: every step where it belongs, ends and rows named."""

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaekit.errors import DataError
from vaekit.figures import interpolations, traversals
from vaekit.figures.style import MINUS

VALUES = (-3.0, -1.5, 0.0, 1.5, 3.0)


def drawn(ax: Axes) -> np.ndarray:
    return np.array([np.asarray(image.get_array())[..., 0] for image in ax.images])


def corners(ax: Axes, rows: int) -> np.ndarray:
    """Left and top of every tile, shape (rows, steps, 2)."""
    places = np.array([(i.get_extent()[0], i.get_extent()[3]) for i in ax.images])
    return places.reshape(rows, -1, 2)


def words(figure: Figure) -> list[str]:
    return [text.get_text() for ax in figure.axes for text in ax.texts if text.get_text()]


@pytest.mark.parametrize("event", [(1, 28, 28), (3, 8, 8), (1, 28, 20), (1, 300, 300)])
def test_steps_are_drawn_row_by_row(rng: np.random.Generator, event: tuple[int, ...]) -> None:
    rows = rng.uniform(size=(4, 5, *event))
    (ax,) = traversals(rows, [7, 0, 2, 11], VALUES).axes
    np.testing.assert_array_equal(drawn(ax), rows.reshape(20, *event)[:, 0])
    places = corners(ax, 4)
    assert (np.diff(places[..., 0], axis=1) > 0).all()
    assert (np.diff(places[..., 1], axis=0) > 0).all()
    assert (places[..., 0] == places[0, :, 0]).all()


def test_dimensions_and_values_are_named(rng: np.random.Generator) -> None:
    figure = traversals(rng.uniform(size=(2, 5, 1, 8, 8)), [7, 12], VALUES, "Moved")
    headers = [f"{MINUS}3", f"{MINUS}1.5", "0", "+1.5", "+3"]
    assert words(figure) == ["Moved", *headers, "$z_{7}$", "$z_{12}$"]


def test_ends_of_an_interpolation_are_marked(rng: np.random.Generator) -> None:
    figure = interpolations(rng.uniform(size=(2, 6, 1, 8, 8)), ["0 → 1", "1 → 2"])
    assert words(figure) == ["start", "end", "0 → 1", "1 → 2"]
    gaps = np.diff(corners(figure.axes[0], 2)[0, :, 0])
    assert gaps[0] == gaps[-1] > max(gaps[1:-1])


@pytest.mark.parametrize("features", [5, 90])
def test_vectors_are_heat_maps(rng: np.random.Generator, features: int) -> None:
    rows = rng.normal(size=(3, 5, features))
    figure = traversals(rows, [2, 0, 1], VALUES, "Moved")
    maps = [ax for ax in figure.axes if ax.images and ax.get_title(loc="left")]
    assert [ax.get_title(loc="left") for ax in maps] == ["$z_{2}$", "$z_{0}$", "$z_{1}$"]
    for ax, expected in zip(maps, rows, strict=True):
        np.testing.assert_array_equal(np.asarray(ax.images[0].get_array()), expected)
        assert [label.get_text() for label in ax.get_yticklabels()] == [f"{MINUS}3", "0", "+3"]
    assert len({ax.images[0].get_clim() for ax in maps}) == 1  # one scale for all


def test_values_follow_the_given_range() -> None:
    rows = np.array([[-1.0], [3.0]]).reshape(1, 2, 1, 1, 1)
    (ax,) = interpolations(rows, low=-1, high=3).axes
    assert drawn(ax).ravel().tolist() == [0, 1]


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 5, 2, 8, 8), "1 or 3"),
        ((2, 5, 8, 8), "vectors"),
        ((5,), "vectors"),
        ((0, 5, 3), "at least one"),
        ((2, 5, 0), "at least one"),
        ((13, 5, 3), "at most 12 rows"),
        ((2, 1, 3), "2 to 15 steps"),
        ((2, 16, 3), "2 to 15 steps"),
    ],
)
def test_walks_that_cannot_be_drawn(shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(DataError, match=message):
        interpolations(np.zeros(shape))


def test_labels_that_do_not_fit() -> None:
    with pytest.raises(DataError, match="do not fit"):
        interpolations(np.zeros((2, 5, 3)), ["only one"])
    with pytest.raises(DataError, match="do not fit"):
        traversals(np.zeros((2, 5, 3)), [0, 1], (0.0, 1.0))


def test_empty_range() -> None:
    with pytest.raises(DataError, match="low < high"):
        interpolations(np.zeros((2, 5, 1, 8, 8)), low=1)
