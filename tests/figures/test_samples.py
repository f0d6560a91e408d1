import numpy as np
import pytest

from vaekit.errors import DataError
from vaekit.figures import samples


def test_draws_the_given_images_in_order(rng: np.random.Generator) -> None:
    images = rng.uniform(size=(23, 1, 28, 28))
    (ax,) = samples(images, seed=0).axes
    drawn = np.array([np.asarray(image.get_array())[..., 0] for image in ax.images])
    np.testing.assert_array_equal(drawn, images[:, 0])
    places = [(image.get_extent()[3], image.get_extent()[0]) for image in ax.images]
    assert places == sorted(places)  # row by row, left to right
    assert len({left for _, left in places}) == 10


def test_says_how_they_were_drawn(rng: np.random.Generator) -> None:
    images = rng.uniform(size=(3, 1, 8, 8))
    (ax,) = samples(images, seed=0).axes
    assert ax.texts[0].get_text() == "p(x|z) means for z ~ p(z), seed 0, not picked"
    (ax,) = samples(images, seed=7, temperature=0.5).axes
    assert "p(z) at temperature 0.5, seed 7" in ax.texts[0].get_text().replace("\n", " ")


@pytest.mark.parametrize("features", [6, 60])
def test_draws_vectors(rng: np.random.Generator, features: int) -> None:
    vectors = rng.normal(size=(4, features))
    figure = samples(vectors, seed=1)
    drawn = (
        [ax.lines[0].get_ydata() for ax in figure.axes]
        if features == 6
        else np.asarray(figure.axes[0].images[0].get_array())
    )
    np.testing.assert_array_equal(drawn, vectors)
    assert "seed 1" in figure.get_suptitle()


def test_nothing_to_draw() -> None:
    with pytest.raises(DataError, match="at least one"):
        samples(np.zeros((0, 1, 8, 8)), seed=0)
