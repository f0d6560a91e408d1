import numpy as np
import pytest

from vaekit.errors import DataError
from vaekit.figures import worst_reconstructions
from vaekit.figures.style import MINUS

NATS = np.array([-1234.56, -210.0, 3.25])
WRITTEN = [f"{MINUS}1,234.6", f"{MINUS}210.0", "3.2"]


def test_nats_stand_below_their_example(rng: np.random.Generator) -> None:
    originals, answers = rng.uniform(size=(2, 3, 1, 28, 28))
    (ax,) = worst_reconstructions(originals, answers, NATS).axes
    captions = [text for text in ax.texts if text.get_text() in WRITTEN]
    assert [text.get_text() for text in captions] == WRITTEN
    for text, image in zip(captions, ax.images[3:], strict=True):  # of the reconstructions
        left, right, bottom, _ = image.get_extent()
        x, y = text.get_position()
        assert left < x < right
        assert y > bottom


def test_vectors_of_few_features_have_a_title_each(rng: np.random.Generator) -> None:
    originals, answers = rng.normal(size=(2, 3, 6))
    figure = worst_reconstructions(originals, answers, NATS)
    assert [ax.get_title(loc="left") for ax in figure.axes[:3]] == WRITTEN


def test_vectors_of_many_features_have_a_label_each(rng: np.random.Generator) -> None:
    originals, answers = rng.normal(size=(2, 3, 60))
    figure = worst_reconstructions(originals, answers, NATS)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == WRITTEN


def test_arrays_that_do_not_fit() -> None:
    images = np.zeros((3, 1, 8, 8))
    with pytest.raises(DataError, match="do not fit"):
        worst_reconstructions(images, images[:2], NATS)
    with pytest.raises(DataError, match="do not fit"):
        worst_reconstructions(images, images, NATS[:2])
