"""Chooses how examples are drawn: images as tiles, vectors as profiles."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from vaekit.errors import DataError
from vaekit.figures.images import image_sheet
from vaekit.figures.style import styled
from vaekit.figures.vectors import vector_sheet

MOST_IMAGES = 200


@styled
def sheet(
    series: Mapping[str, np.ndarray],
    title: str | None,
    low: float,
    high: float,
    captions: Sequence[str] | None = None,
) -> Figure:
    """Draws series of examples of one shape, by label, with a caption for each if there are any.

    Raises:
        DataError: There is nothing to draw, too much, or no way to draw it.
    """
    shape = next(iter(series.values())).shape
    _check(shape)
    if len(shape) == 2:
        return vector_sheet(series, title, captions)
    check_range(low, high)
    for label, images in series.items():
        check_integers(images, label, low, high)
    return image_sheet(series, title, low, high, captions)


def check_range(low: float, high: float) -> None:
    """Refuses an empty range of image values."""
    if low >= high:
        raise DataError(
            "The range of the image values is empty.",
            expected="low < high",
            found=f"low = {low:g}, high = {high:g}",
            remedy="give the values drawn black and white",
        )


def _check(shape: tuple[int, ...]) -> None:
    is_image = len(shape) == 4 and shape[1] in (1, 3)
    if not (is_image or len(shape) == 2) or 0 in shape:
        raise DataError(
            "These examples cannot be drawn.",
            expected="images (n, 1 or 3, height, width) or vectors (n, features), at least one",
            found=f"shape {shape}",
            remedy="reshape them, or take the channels that are to be seen",
        )
    if is_image and shape[0] > MOST_IMAGES:
        raise DataError(
            "These are too many images for one figure.",
            expected=f"at most {MOST_IMAGES}",
            found=shape[0],
            remedy="draw the first ones: images[:100]",
        )


def check_integers(images: np.ndarray, label: str, low: float, high: float) -> None:
    """Whole numbers are data and keep to their range; a model's means may leave it a little."""
    if images.dtype.kind in "iu" and (images.min() < low or images.max() > high):
        raise DataError(
            "Image values are outside the range that is drawn.",
            where=label or "images",
            expected=f"values from {low:g} to {high:g}",
            found=f"values from {images.min()} to {images.max()}",
            remedy="give `low` and `high`, such as high=255",
        )
