import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from vaekit.errors import DataError
from vaekit.figures import latent_map
from vaekit.figures.latent_map import principal_components
from vaekit.figures.style import CLASSES


def points(ax: Axes) -> np.ndarray:
    return np.concatenate([np.asarray(c.get_offsets()) for c in ax.collections])


def by_rows(array: np.ndarray) -> np.ndarray:
    return array[np.lexsort(array.T)]


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()] if figure.legends else []


def radii(ax: Axes) -> list[float]:
    return [patch.get_radius() for patch in ax.patches if isinstance(patch, Circle)]


def test_two_dimensions_are_drawn_as_they_are(rng: np.random.Generator) -> None:
    codes = rng.normal(size=(500, 2))
    (ax,) = latent_map(codes).axes
    np.testing.assert_array_equal(by_rows(points(ax)), by_rows(codes))
    assert radii(ax) == [1, 2]
    assert ax.get_aspect() == 1
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    assert max(left, bottom) < -2
    assert min(right, top) > 2


def test_the_prior_can_be_left_out(rng: np.random.Generator) -> None:
    figure = latent_map(rng.normal(size=(50, 2)), prior=False)
    assert radii(figure.axes[0]) == []
    assert legend(figure) == []


def test_points_have_the_colour_of_their_label(rng: np.random.Generator) -> None:
    codes, labels = rng.normal(size=(300, 2)), np.arange(300) % 10
    (ax,) = latent_map(codes, labels).axes
    label_of = {tuple(code): label for code, label in zip(codes, labels, strict=True)}
    colors = np.concatenate([np.atleast_2d(c.get_facecolor()) for c in ax.collections])
    for place, color in zip(points(ax), colors, strict=True):
        assert tuple(color[:3]) == to_rgba(CLASSES[label_of[tuple(place)]])[:3]


def test_legend_names_the_classes(rng: np.random.Generator) -> None:
    codes = rng.normal(size=(6, 3))
    assert legend(latent_map(codes, np.array([2, 0, 1, 2, 0, 1]))) == ["0", "1", "2"]
    assert legend(latent_map(codes, np.array(list("cabcab")))) == ["a", "b", "c"]
    named = latent_map(codes, np.array([2, 0, 0, 2, 0, 0]), ["cat", "dog", "eel"])
    assert legend(named) == ["cat", "eel"]


def test_more_classes_than_colours_differ_in_shape(rng: np.random.Generator) -> None:
    (ax,) = latent_map(rng.normal(size=(260, 2)), np.arange(260) % 26).axes
    assert [len(np.asarray(c.get_offsets())) for c in ax.collections] == [100, 100, 60]


def test_more_classes_than_can_be_told_apart_are_one(rng: np.random.Generator) -> None:
    figure = latent_map(rng.normal(size=(100, 3)), np.arange(100))
    assert legend(figure) == ["100 classes, one colour"]


def test_more_dimensions_are_projected(rng: np.random.Generator) -> None:
    basis, _ = np.linalg.qr(rng.normal(size=(7, 7)))
    codes = rng.normal(size=(4000, 7)) * [5, 3, 1, 1, 1, 1, 1] @ basis.T + 10
    (ax,) = latent_map(codes).axes
    centred = codes - codes.mean(axis=0)
    total = (centred**2).sum()
    for direction, label in enumerate([ax.get_xlabel(), ax.get_ylabel()]):
        share = (points(ax)[:, direction] ** 2).sum() / total
        assert label == f"PC {direction + 1} ({100 * share:.0f} % of variance)"
    largest = np.linalg.eigvalsh(centred.T @ centred)[::-1]
    np.testing.assert_allclose((points(ax) ** 2).sum(axis=0), largest[:2])
    assert radii(ax) == []


def test_projection_does_not_depend_on_a_sign(rng: np.random.Generator) -> None:
    codes = rng.normal(size=(50, 4)) * [4, 3, 2, 1]
    forward, backward = principal_components(codes), principal_components(codes[::-1].copy())
    np.testing.assert_allclose(forward[0], backward[0][::-1], atol=1e-12)


def test_one_dimension_is_a_histogram_under_the_prior(rng: np.random.Generator) -> None:
    codes, labels = rng.normal(size=(2000, 1)), np.arange(2000) % 3
    figure = latent_map(codes, labels)
    (ax,) = figure.axes
    (prior,) = ax.lines
    z, density = np.asarray(prior.get_xdata()), np.asarray(prior.get_ydata())
    assert np.trapezoid(density, z) == pytest.approx(1, abs=0.01)  # cut at 3 sigma
    bars = [bar for bar in ax.patches if isinstance(bar, Rectangle)]
    area = sum(bar.get_width() * bar.get_height() for bar in bars)
    assert area == pytest.approx(1)
    assert legend(figure) == ["0", "1", "2", "p(z)"]


@pytest.mark.parametrize("latent_dim", [1, 2, 5])
def test_codes_that_all_agree_can_be_drawn(latent_dim: int) -> None:
    assert latent_map(np.ones((20, latent_dim))).axes


@pytest.mark.parametrize("shape", [(1, 2), (0, 2), (5,), (5, 0), (5, 2, 2)])
def test_shapes_that_make_no_map(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="n of at least 2"):
        latent_map(np.zeros(shape))


def test_codes_that_are_not_finite() -> None:
    with pytest.raises(DataError, match="1 of 3 examples"):
        latent_map(np.array([[0, 1], [np.nan, np.inf], [2, 3]]))


def test_labels_that_do_not_fit() -> None:
    with pytest.raises(DataError, match="one label per code"):
        latent_map(np.zeros((3, 2)), np.zeros(2))
    with pytest.raises(DataError, match="from 0 to 1"):
        latent_map(np.zeros((3, 2)), np.array([0, 1, 2]), ["cat", "dog"])
