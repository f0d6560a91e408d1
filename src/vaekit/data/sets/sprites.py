"""Sprites: white shapes on black, drawn here, of which every cause is known.

Each image has five factors, and all their combinations are there:

    shape     square, ellipse, heart           (the labels)
    scale     4 steps, half size to full size
    rotation  8 steps of a quarter turn / 8
    x, y      16 steps each, half the width of the image together

The factors are the attributes of examples, in units of their own: shape is a class, scale runs
from 0.5 to 1, rotation is in degrees, and x and y are shares of the width, of the middle of the
shape, from the left and from the top.

They are made to measure disentanglement on. Rotation covers a quarter turn, in which each of the
shapes looks different at every step: over a full turn a square would look the same four times,
and a factor that cannot be seen cannot be found. Edges are anti-aliased.

The idea of such a set, with other shapes, steps and sizes:
    Matthey, Higgins, Hassabis and Lerchner (2017), dSprites: Disentanglement testing Sprites
    dataset
"""

import math
from collections.abc import Callable, Mapping
from typing import Final, Literal, TypeAlias, final

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int64, UInt8
from pydantic import Field, PositiveInt

from vaekit.data.checks import checked_rows
from vaekit.data.dataset import Dataset
from vaekit.data.factors import Factors
from vaekit.data.sets.division import divided, division_name, sizes_of
from vaekit.errors import SpecError
from vaekit.numerics import generator_for
from vaekit.schema import Attribute, Schema
from vaekit.spec import Spec

FACTORS: Final = {"shape": 3, "scale": 4, "rotation": 8, "x": 16, "y": 16}
"""Name of each factor, and how many values it has."""
ATTRIBUTES: Final = tuple(
    Attribute(name=name, num_classes=count if name == "shape" else None)
    for name, count in FACTORS.items()
)
COMBINATIONS: Final = math.prod(FACTORS.values())
FINER: Final = 8
"""Points per side of a pixel, whose mean the pixel is."""

Plane: TypeAlias = Float64[np.ndarray, "height width"]


@final
class SpritesSpec(Spec):
    """Choices of the sprites."""

    kind: Literal["sprites"] = "sprites"
    size: PositiveInt = Field(
        default=32, ge=16, le=64, multiple_of=4, description="Pixels per side."
    )
    examples: PositiveInt | None = Field(
        default=None,
        description=f"So many combinations, drawn by seed; all {COMBINATIONS} if absent.",
    )
    validation: float = Field(default=0.1, ge=0, lt=1, description="Share kept for validation.")
    test: float = Field(default=0.1, ge=0, lt=1, description="Share kept for test.")
    seed: int = Field(default=0, description="Seed of the order in which they are divided.")

    def load(self) -> Dataset:
        factors = self._drawn_factors()
        images = sprite_images(factors.values.numpy(), self.size)
        schema = Schema(
            name="sprites",
            kind="image",
            event_shape=images.shape[1:],
            dtype="uint8",
            low=0,
            high=255,
            num_classes=FACTORS["shape"],
            attributes=ATTRIBUTES,
        )
        values = factors.values.numpy()
        rows = checked_rows(schema, images, values[:, 0], "sprites", quantities(values))
        sizes = sizes_of(len(rows), self.validation, self.test, "sprites")
        splits = divided(rows, *sizes)
        name, source = division_name(splits), "drawn by vaekit"
        return Dataset(schema.name, schema, splits, source, name, _divided_factors(factors, sizes))

    def _drawn_factors(self) -> Factors:
        """The factors of every example, in an order that depends on the seed alone."""
        count = self.examples or COMBINATIONS
        if count > COMBINATIONS:
            raise SpecError(
                "There are not so many sprites.",
                where="data.examples",
                expected=f"{COMBINATIONS} at most",
                found=count,
            )
        order = torch.randperm(COMBINATIONS, generator=generator_for(self.seed, "sprites"))
        values = np.unravel_index(order[:count].numpy(), tuple(FACTORS.values()))
        columns = torch.from_numpy(np.stack(values, axis=1).astype(np.int64))
        return Factors(tuple(FACTORS), columns, categorical=("shape",))


def _divided_factors(factors: Factors, sizes: tuple[int, ...]) -> Mapping[str, Factors]:
    found, start = {}, 0
    for name, size in zip(("train", "validation", "test"), sizes, strict=True):
        if size:
            found[name] = factors[start : start + size]
        start += size
    return found


def quantities(
    factors: Int64[np.ndarray, "examples 5"],
) -> Float64[np.ndarray, "examples 5"]:
    """The factors of every combination in units of their own.

    Example:
        >>> quantities(np.array([[2, 3, 4, 0, 15]])).tolist()
        [[2.0, 1.0, 45.0, 0.265625, 0.734375]]
    """
    shape, scale, rotation, x, y = factors.T.astype(np.float64)
    places = FACTORS["x"]
    return np.stack(
        [
            shape,
            0.5 + 0.5 * scale / (FACTORS["scale"] - 1),
            90 * rotation / FACTORS["rotation"],
            0.5 + (x - (places - 1) / 2) / (2 * places),
            0.5 + (y - (places - 1) / 2) / (2 * places),
        ],
        axis=1,
    )


def sprite_images(
    factors: Int64[np.ndarray, "examples 5"], size: int
) -> UInt8[np.ndarray, "examples 1 size size"]:
    """The picture of every combination.

    Args:
        factors: Shape, scale, rotation, x and y, as numbers of their values.
        size: Pixels per side, a multiple of 4.
    """
    looks, which = np.unique(factors[:, :3], axis=0, return_inverse=True)
    images = np.empty((len(factors), 1, size, size), np.uint8)
    for number, (shape, scale, rotation) in enumerate(looks.tolist()):
        windows = _windows(tuple(SHAPES.values())[shape], scale, rotation, size)
        rows = np.flatnonzero(which.reshape(-1) == number)
        images[rows, 0] = windows[factors[rows, 4], factors[rows, 3]]
    return images


def _windows(
    shape: "Shape", scale: int, rotation: int, size: int
) -> UInt8[np.ndarray, "y x size size"]:
    """One look of a shape at every position."""
    steps, step = FACTORS["x"], size * FINER // (2 * FACTORS["x"])  # in points
    wide = size * FINER + (steps - 1) * step
    # The shape stands in the middle of a canvas of points; pixels are the means of squares of
    # them, and a position is where the window of pixels begins.
    points = (np.arange(wide) + 0.5 - wide / 2) / (size * FINER / 4)
    points /= 0.5 + 0.5 * scale / (FACTORS["scale"] - 1)
    angle = 0.5 * math.pi * rotation / FACTORS["rotation"]
    right, up = points[None, :], -points[:, None]
    u = math.cos(angle) * right + math.sin(angle) * up
    v = math.cos(angle) * up - math.sin(angle) * right
    covered = shape(u, v).astype(np.float64)
    sums = np.pad(covered.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    means = sums[FINER:, FINER:] - sums[:-FINER, FINER:] - sums[FINER:, :-FINER]
    means = (means + sums[:-FINER, :-FINER]) / FINER**2
    grey = np.rint(255 * means).astype(np.uint8)
    # The window that begins furthest right shows the shape furthest left.
    starts = step * np.arange(steps)[::-1]
    pixels = starts[:, None] + FINER * np.arange(size)
    return grey[pixels[:, None, :, None], pixels[None, :, None, :]]


# -- shapes: whether a point (u right, v up) within the unit circle belongs to it -----------------

Shape: TypeAlias = Callable[[Plane, Plane], Bool[np.ndarray, "height width"]]


def _square(u: Plane, v: Plane) -> Bool[np.ndarray, "height width"]:
    return np.maximum(abs(u), abs(v)) <= math.sqrt(0.5)


def _ellipse(u: Plane, v: Plane) -> Bool[np.ndarray, "height width"]:
    return np.square(u) + np.square(2 * v) <= 1


def _heart(u: Plane, v: Plane) -> Bool[np.ndarray, "height width"]:
    # (x^2 + y^2 - 1)^3 = x^2 y^3 fits into a circle of radius 1.256 around (0, 0.25).
    x, y = 1.26 * u, 1.26 * v + 0.25
    return (x * x + y * y - 1) ** 3 <= x * x * y**3


SHAPES: Final[Mapping[str, Shape]] = {"square": _square, "ellipse": _ellipse, "heart": _heart}
