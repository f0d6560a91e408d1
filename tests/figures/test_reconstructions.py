import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from vaekit.errors import DataError
from vaekit.figures import encoded, reconstructions
from vaekit.figures.style import MINUS, MISSING


def drawn(ax: Axes) -> list[np.ndarray]:
    return [np.asarray(image.get_array()) for image in ax.images]


def as_rgb(image: np.ndarray) -> np.ndarray:
    return np.broadcast_to(np.moveaxis(image, 0, -1), (*image.shape[1:], 3))


def corners(ax: Axes) -> np.ndarray:
    """Left and top of every image, in dots."""
    return np.array([(image.get_extent()[0], image.get_extent()[3]) for image in ax.images])


@pytest.mark.parametrize("event", [(1, 8, 8), (1, 28, 20), (3, 32, 32), (1, 1, 1), (1, 28, 28)])
def test_draws_the_given_images_in_pairs(rng: np.random.Generator, event) -> None:
    originals, answers = rng.uniform(size=(2, 12, *event))
    (ax,) = reconstructions(originals, answers).axes
    for image, expected in zip(drawn(ax), [*originals, *answers], strict=True):
        np.testing.assert_array_equal(image, as_rgb(expected))
    places = corners(ax)
    np.testing.assert_array_equal(places[:12, 0], places[12:, 0])  # each above its own
    assert len(set(places[:12, 0])) == 10
    assert len(set(places[:, 1])) == 4
    assert (places[:12, 1] < places[12:, 1]).all()


def test_pixels_are_neither_blurred_nor_uneven(rng: np.random.Generator) -> None:
    originals = rng.uniform(size=(11, 1, 28, 20))
    figure = reconstructions(originals, 1 - originals, "Title")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    dots = np.asarray(canvas.buffer_rgba())[..., 0]
    for image, expected in zip(figure.axes[0].images, originals[:, 0], strict=False):
        left, right, bottom, top = (round(side) for side in image.get_extent())
        scale = (right - left) // 20
        levels = np.kron(expected, np.ones((scale, scale))) * 255
        np.testing.assert_allclose(dots[top:bottom, left:right], levels, atol=1)  # rounding


def test_rows_are_labelled(rng: np.random.Generator) -> None:
    (ax,) = reconstructions(*rng.uniform(size=(2, 11, 1, 8, 8)), title="Digits").axes
    words = [text.get_text() for text in ax.texts]
    assert words == ["Digits", "original", "original", "reconstruction", "reconstruction"]


def test_values_follow_the_given_range() -> None:
    images = np.array([-1.0, 0.0, 3.0, 9.0]).reshape(1, 1, 2, 2)
    (ax,) = reconstructions(images, images, low=-1, high=3).axes
    np.testing.assert_array_equal(drawn(ax)[0][..., 0].ravel(), [0, 0.25, 1, 1])


def test_missing_values_have_a_colour_of_their_own() -> None:
    images = np.array([0.5, np.nan]).reshape(1, 1, 1, 2)
    (ax,) = reconstructions(images, images).axes
    np.testing.assert_array_equal(drawn(ax)[0], [[[0.5] * 3, MISSING]])


def test_large_images_are_made_smaller(rng: np.random.Generator) -> None:
    figure = reconstructions(*rng.uniform(size=(2, 10, 1, 300, 300)))
    assert figure.get_figwidth() < 10


# -- vectors -----------------------------------------------------------------------------------


def dots(figure: Figure, label: str) -> list[np.ndarray]:
    lines = [line for ax in figure.axes for line in ax.lines if line.get_label() == label]
    return [np.asarray(line.get_ydata()) for line in lines]


def test_vectors_of_few_features_are_drawn_as_panels(rng: np.random.Generator) -> None:
    originals, answers = rng.normal(size=(2, 20, 30))
    figure = reconstructions(originals, answers, "Table")
    np.testing.assert_array_equal(dots(figure, "original"), originals[:12])
    np.testing.assert_array_equal(dots(figure, "reconstruction"), answers[:12])
    assert figure.get_suptitle() == "Table, first 12 of 20"


def test_features_of_different_size_share_a_scale(rng: np.random.Generator) -> None:
    scale = np.array([1e-3, 1.0, 1e6])
    originals = rng.normal(size=(50, 3)) * scale + scale
    figure = reconstructions(originals, originals)
    standard = (originals - originals.mean(axis=0)) / originals.std(axis=0)
    np.testing.assert_allclose(dots(figure, "original"), standard[:12])
    assert figure.get_supylabel() == "std. deviations"


def test_vectors_of_many_features_are_drawn_as_heat_maps(rng: np.random.Generator) -> None:
    originals, answers = rng.normal(size=(2, 5, 31))
    figure = reconstructions(originals, answers)
    maps = {ax.get_title(loc="left"): drawn(ax)[0] for ax in figure.axes if ax.images}
    assert list(maps) == ["original", "reconstruction", f"reconstruction {MINUS} original"]
    for values, expected in zip(
        maps.values(), [originals, answers, answers - originals], strict=True
    ):
        np.testing.assert_array_equal(values, expected)


@pytest.mark.parametrize("features", [8, 50])
@pytest.mark.parametrize("fill", [np.nan, 1.0])
def test_vectors_that_say_nothing_can_be_drawn(features: int, fill: float) -> None:
    figure = reconstructions(np.full((10, features), fill), np.ones((10, features)))
    assert encoded(figure, ".png").startswith(b"\x89PNG")
    assert len([ax for ax in figure.axes if ax.get_visible()]) >= 3


# -- errors ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((0, 1, 8, 8), "at least one"),
        ((5, 2, 8, 8), "channels"),
        ((5, 8, 8), "images"),
        ((5,), "vectors"),
        ((5, 0), "at least one"),
        ((500, 1, 8, 8), "too many"),
    ],
)
def test_shapes_that_cannot_be_drawn(shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(DataError, match=message):
        reconstructions(np.zeros(shape), np.zeros(shape))


def test_reconstructions_that_do_not_fit() -> None:
    with pytest.raises(DataError, match="do not fit"):
        reconstructions(np.zeros((5, 1, 8, 8)), np.zeros((4, 1, 8, 8)))


def test_bytes_need_their_range() -> None:
    images = np.full((2, 1, 8, 8), 200, dtype=np.uint8)
    with pytest.raises(DataError, match="high=255"):
        reconstructions(images, images)
    reconstructions(images, images, high=255)


def test_empty_range() -> None:
    with pytest.raises(DataError, match="low < high"):
        reconstructions(np.zeros((2, 1, 8, 8)), np.zeros((2, 1, 8, 8)), low=1)
