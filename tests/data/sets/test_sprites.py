"""Sprites: every factor does to the picture what its name says, and nothing else."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from vaekit.data import Dataset, Factors, InMemorySplit, SpritesSpec
from vaekit.data.sets.sprites import COMBINATIONS, FACTORS, quantities, sprite_images
from vaekit.errors import DataError, SpecError
from vaekit.schema import Schema


def drawn(*rows: tuple[int, int, int, int, int], size: int = 32) -> np.ndarray:
    return sprite_images(np.array(rows, np.int64), size)[:, 0].astype(float)


def middle(image: np.ndarray) -> tuple[float, float]:
    """Mean of x and of y, in pixels from the upper left."""
    places = np.arange(image.shape[0]) + 0.5
    total = image.sum()
    return float(image.sum(0) @ places / total), float(image.sum(1) @ places / total)


@pytest.mark.parametrize("size", [16, 32, 64])
def test_area_is_that_of_the_shape(size: int) -> None:
    full = size / 4  # radius of the unit circle, in pixels
    for scale in range(4):
        radius = full * (0.5 + scale / 6)
        square, ellipse = drawn((0, scale, 3, 5, 5), (1, scale, 3, 5, 5), size=size) / 255
        # A square of diagonal 2, an ellipse with half-axes 1 and 1/2: an edge of about six
        # radii, each of whose 8 points a pixel is right or wrong by half of 1/8 pixel, by chance.
        assert square.sum() == pytest.approx(2 * radius**2, rel=0.03)
        assert ellipse.sum() == pytest.approx(0.5 * np.pi * radius**2, rel=0.03)


def test_x_and_y_move_by_a_pixel_and_change_nothing_else() -> None:
    for shape in range(3):
        at = drawn((shape, 2, 1, 4, 9))[0]
        right, down = drawn((shape, 2, 1, 7, 9), (shape, 2, 1, 4, 11))
        assert np.array_equal(np.roll(at, 3, axis=1), right)
        assert np.array_equal(np.roll(at, 2, axis=0), down)


def test_positions_are_around_the_middle() -> None:
    for corner, expected in ((0, 16 - 7.5), (15, 16 + 7.5)):
        # A square is symmetric, and whole pixels of 8 x 8 points keep it so.
        assert middle(drawn((0, 3, 0, corner, corner))[0]) == pytest.approx((expected, expected))


def test_rotation_is_counterclockwise_by_an_eighth_of_a_quarter_turn() -> None:
    (image,) = drawn((1, 3, 2, 8, 8), size=64)
    y, x = np.mgrid[:64, :64] + 0.5
    x, up = x - middle(image)[0], middle(image)[1] - y
    angle = 0.5 * np.arctan2(2 * (image * x * up).sum(), (image * (x**2 - up**2)).sum())
    assert np.degrees(angle) == pytest.approx(22.5, abs=0.5)


def test_no_combination_looks_like_another_or_leaves_the_picture() -> None:
    looks = np.stack(np.unravel_index(np.arange(96), (3, 4, 8)), axis=1)
    at = [np.pad(looks, ((0, 0), (0, 2)), constant_values=place) for place in (0, 15)]
    images = sprite_images(np.concatenate(at), 32)
    assert len(np.unique(images.reshape(192, -1), axis=0)) == 192
    # At the corner, as in the middle: nothing was cut off.
    areas = images.reshape(2, 96, -1).astype(float).sum(2)
    assert np.array_equal(areas[0], areas[1])
    inside = sprite_images(np.pad(looks, ((0, 0), (0, 2)), constant_values=8), 32)
    assert np.array_equal(areas[0], inside.reshape(96, -1).astype(float).sum(1))


def test_edges_are_grey() -> None:
    (image,) = drawn((1, 3, 1, 8, 8))
    assert 0.05 < ((image > 0) & (image < 255)).mean() / (image > 0).mean() < 0.5


def test_factors_lie_beside_the_images() -> None:
    dataset = SpritesSpec(size=16, examples=500).load()
    assert dataset.split_name == "400/50/50"
    seen = []
    for name, split in dataset.splits.items():
        rows, factors = split.rows(0, len(split)), dataset.factors[name]
        assert factors.names == tuple(FACTORS)
        assert torch.equal(rows.x, torch.from_numpy(sprite_images(factors.values.numpy(), 16)))
        assert rows.labels is not None
        assert torch.equal(rows.labels, factors.values[:, 0])
        seen.append(factors.values)
    assert len(torch.cat(seen).unique(dim=0)) == 500


def test_attributes_are_the_factors_in_units_of_their_own() -> None:
    dataset = SpritesSpec(size=16, examples=300).load()
    assert [known.name for known in dataset.schema.attributes] == list(FACTORS)
    assert [known.num_classes for known in dataset.schema.attributes] == [3, *[None] * 4]
    split, factors = dataset.split("train"), dataset.factors["train"].values
    rows = split.rows(0, len(split))
    assert rows.attributes is not None
    assert torch.equal(rows.attributes, torch.from_numpy(quantities(factors.numpy())).float())
    assert rows.attributes[:, 1:3].amin(0).tolist() == [0.5, 0.0]
    assert rows.attributes[:, 1:3].amax(0).tolist() == [1.0, 78.75]
    # The middle of a square is where its x and y say: within the rounding of grey levels.
    square = int((factors[:, 0] == 0).nonzero()[0])
    place = middle(rows.x[square, 0].numpy().astype(float))
    assert torch.tensor(place) / 16 == pytest.approx(rows.attributes[square, 3:], abs=2e-3)


def test_all_combinations_are_there() -> None:
    dataset = SpritesSpec(size=16, validation=0, test=0).load()
    values = dataset.factors["train"].values
    assert len(values.unique(dim=0)) == len(values) == COMBINATIONS
    assert (values.amin(0) == 0).all()
    assert (values.amax(0) + 1).tolist() == list(FACTORS.values())


def test_the_seed_decides_the_order() -> None:
    first, same, other = (
        SpritesSpec(size=16, examples=60, seed=seed).load().fingerprint for seed in (0, 0, 1)
    )
    assert first == same != other


def test_refuses_more_than_there_are_and_odd_sizes() -> None:
    with pytest.raises(SpecError, match=f"{COMBINATIONS} at most"):
        SpritesSpec(examples=COMBINATIONS + 1).load()
    for size in (8, 30, 128):
        with pytest.raises(ValidationError):
            SpritesSpec(size=size)


def test_factors_have_to_fit() -> None:
    values = torch.zeros(3, 2, dtype=torch.int64)
    with pytest.raises(DataError, match="Names of factors"):
        Factors(("a",), values)
    with pytest.raises(DataError, match="Names of factors"):
        Factors(("a", "b"), values, categorical=("c",))
    schema = Schema(name="few", kind="vector", event_shape=(1,), dtype="float32")
    splits = {"test": InMemorySplit(torch.zeros(2, 1))}
    with pytest.raises(DataError, match="factors of 2 examples"):
        Dataset("few", schema, splits, "here", "2", {"test": Factors(("a", "b"), values)})
