"""Sheets of small images, drawn dot by dot.

One unit of a sheet is one dot of the finished picture, and one value of an image becomes a
square of whole dots: nothing is interpolated, and no value is larger than its neighbour. Only
images wider than 160 values are made smaller, and very flat ones stretched to a line of text.
"""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Real
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaekit.figures.style import DPI, MISSING, MUTED

_COLUMNS = 10
_TILE, _LARGEST = 120, 160  # about how wide an image becomes, and how wide it stays as it is
_MARGIN, _GAP, _BLOCK_GAP, _LABEL, _LINE = 14, 6, 18, 148, 28
_CAPTION = 26  # a line below an example
_LEAST_WIDTH = 600  # below a title


@dataclass(frozen=True)
class _Layout:
    """Where tiles are, in dots from the upper left corner."""

    columns: int
    left: int
    top: int
    width: int
    height: int
    rows: int
    """How many rows make a block: one per series."""
    caption: int
    """Room below a block."""

    def corner(self, index: int, row: int) -> tuple[int, int]:
        """Upper left corner of example `index` in series `row`."""
        block, column = divmod(index, self.columns)
        block_gap = _BLOCK_GAP if self.rows > 1 else _GAP
        pitch = self.rows * (self.height + _GAP) - _GAP + self.caption + block_gap
        x = self.left + column * (self.width + _GAP)
        return x, self.top + block * pitch + row * (self.height + _GAP)


def image_sheet(
    series: Mapping[str, Real[np.ndarray, "n channels height width"]],
    title: str | None,
    low: float,
    high: float,
    captions: Sequence[str] | None = None,
) -> Figure:
    """Draws several series of images, those of one example below each other.

    Args:
        series: Images by label, all of one shape; an empty label takes no room.
        title: Text above the images.
        low: Value drawn black.
        high: Value drawn white.
        captions: A few words below each example.
    """
    n, _, height, width = next(iter(series.values())).shape
    scale = max(1, round(_TILE / width)) if width <= _LARGEST else _TILE / width
    columns, tile_width = min(n, _COLUMNS), round(width * scale)
    left = _MARGIN + (_LABEL if any(series) else 0)
    right = left + columns * (tile_width + _GAP) - _GAP + _MARGIN
    right = max(right, _LEAST_WIDTH if title else 0)
    lines = textwrap.wrap(title or "", width=right // 11)
    layout = _Layout(
        columns=columns,
        left=left,
        top=_MARGIN + len(lines) * _LINE,
        width=tile_width,
        height=max(_LINE, round(height * scale)),
        rows=len(series),
        caption=_CAPTION if captions else 0,
    )
    bottom = layout.corner(n - 1, len(series) - 1)[1] + layout.height + layout.caption + _MARGIN
    figure, ax = blank(right, bottom)
    ax.text(_MARGIN, _MARGIN - 4, "\n".join(lines), va="top", fontsize=9.5, linespacing=1.35)
    for row, (label, images) in enumerate(series.items()):
        _draw_row(ax, layout, row, label, [to_rgb(image, low, high) for image in images])
    for index, caption in enumerate(captions or ()):
        x, y = layout.corner(index, len(series) - 1)
        middle, below = x + layout.width / 2, y + layout.height + 4
        ax.text(middle, below, caption, ha="center", va="top", fontsize=8)
    return figure


def to_rgb(
    image: Real[np.ndarray, "channels height width"], low: float, high: float
) -> Float[np.ndarray, "height width 3"]:
    """Colours in [0, 1]; what is not a number gets a colour of its own."""
    scaled = np.clip((image.astype(float) - low) / (high - low), 0, 1)
    rgb = np.broadcast_to(np.moveaxis(scaled, 0, -1), (*image.shape[1:], 3))
    return np.where(np.isnan(rgb).any(-1, keepdims=True), MISSING, rgb)


def blank(width: int, height: int) -> tuple[Figure, Axes]:
    """An empty sheet, measured in dots from its upper left corner."""
    figure = Figure(figsize=(width / DPI, height / DPI))
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set_axis_off()
    ax.set(xlim=(0, width), ylim=(height, 0), autoscale_on=False)
    return figure, ax


def tile(ax: Axes, image: np.ndarray, corner: tuple[int, int], size: tuple[int, int]) -> None:
    """Draws one image into a box of a sheet: `corner` is (x, y), `size` is (width, height)."""
    (x, y), (width, height) = corner, size
    ax.imshow(
        image,
        extent=(x, x + width, y + height, y),
        aspect="auto",
        interpolation="nearest" if width >= image.shape[1] else "antialiased",
    )


def _draw_row(ax: Axes, layout: _Layout, row: int, label: str, images: list[np.ndarray]) -> None:
    for index, image in enumerate(images):
        x, y = layout.corner(index, row)
        tile(ax, image, (x, y), (layout.width, layout.height))
        if index % layout.columns == 0:
            middle = y + layout.height / 2
            ax.text(x - 10, middle, label, ha="right", va="center", color=MUTED)
