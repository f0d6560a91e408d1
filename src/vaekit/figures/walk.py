"""Walks through the latent space: a row for each, a step in each column.

Images become a table of tiles with a label before each row and a header above each column;
vectors become a heat map per row, step below step.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Real
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from vaekit.errors import DataError
from vaekit.figures.images import blank, tile, to_rgb
from vaekit.figures.sheet import check_integers, check_range
from vaekit.figures.style import MUTED, round_ticks
from vaekit.figures.vectors import comparable, value_range

MOST_ROWS, MOST_STEPS = 12, 15
_WIDTH, _HEIGHT, _TILE = 1300, 1360, 120  # of a whole table, and of a tile at most, in dots
_MARGIN, _GAP, _APART, _LINE, _CHARACTER = 14, 6, 16, 28, 14


@dataclass(frozen=True)
class Walk:
    """What is written around the steps.

    Args:
        labels: One per row.
        headers: One per step.
        title: Text above.
        ends_apart: Whether the first and the last step are not like the others.
    """

    labels: Sequence[str]
    headers: Sequence[str]
    title: str | None
    ends_apart: bool = False


def walk_sheet(rows: np.ndarray, walk: Walk, low: float, high: float) -> Figure:
    """Draws walks through images or vectors.

    Args:
        rows: Shape (rows, steps, *event); an event is an image with 1 or 3 channels, or a
            vector.
        walk: Labels, headers and title.
        low: Value of an image drawn black.
        high: Value of an image drawn white.

    Raises:
        DataError: The array cannot be drawn, or labels do not fit it.
    """
    _check(rows, walk)
    if rows.ndim == 3:
        return _heat_maps(rows, walk)
    check_range(low, high)
    check_integers(rows, "walk", low, high)
    return _tiles(rows, walk, low, high)


def _check(rows: np.ndarray, walk: Walk) -> None:
    is_image = rows.ndim == 5 and rows.shape[2] in (1, 3)
    if not (is_image or rows.ndim == 3) or 0 in rows.shape:
        raise DataError(
            "These walks cannot be drawn.",
            expected="images (rows, steps, 1 or 3, height, width) or vectors "
            "(rows, steps, features), at least one",
            found=f"shape {rows.shape}",
            remedy="reshape them, or take the channels that are to be seen",
        )
    if rows.shape[0] > MOST_ROWS or not 2 <= rows.shape[1] <= MOST_STEPS:
        raise DataError(
            "This is no table of walks for one figure.",
            expected=f"at most {MOST_ROWS} rows of 2 to {MOST_STEPS} steps",
            found=f"{rows.shape[0]} rows of {rows.shape[1]} steps",
            remedy="draw some of them",
        )
    if (len(walk.labels), len(walk.headers)) != rows.shape[:2]:
        raise DataError(
            "Labels do not fit the walks.",
            expected=f"{rows.shape[0]} rows and {rows.shape[1]} steps",
            found=f"{len(walk.labels)} and {len(walk.headers)}",
            remedy="give one for each row and one for each step",
        )


# -- images ------------------------------------------------------------------------------------


def _tiles(
    rows: Real[np.ndarray, "rows steps channels height width"], walk: Walk, low: float, high: float
) -> Figure:
    count, steps = rows.shape[:2]
    left = _MARGIN + max(map(_length, walk.labels)) * _CHARACTER + 12
    size = _tile_size(rows, _WIDTH - left)
    apart = _APART if walk.ends_apart else 0
    xs = [left + step * (size[0] + _GAP) + apart * (step > 0) for step in range(steps)]
    xs[-1] += apart
    right = xs[-1] + size[0] + _MARGIN
    lines = textwrap.wrap(walk.title or "", width=right // 11)
    top = _MARGIN + (len(lines) + 1) * _LINE
    ys = [top + row * (size[1] + _GAP) for row in range(count)]
    figure, ax = blank(right, ys[-1] + size[1] + _MARGIN)
    ax.text(_MARGIN, _MARGIN - 4, "\n".join(lines), va="top", fontsize=9.5, linespacing=1.35)
    for x, header in zip(xs, walk.headers, strict=True):
        ax.text(x + size[0] / 2, top - 6, header, ha="center", va="bottom", color=MUTED)
    for y, label, images in zip(ys, walk.labels, rows, strict=True):
        middle = y + size[1] / 2
        ax.text(left - 10, middle, label, ha="right", va="center", color=MUTED, fontsize=10)
        for x, image in zip(xs, images, strict=True):
            tile(ax, to_rgb(image, low, high), (x, y), size)
    return figure


def _length(label: str) -> int:
    """In characters, the signs of mathematical text left out."""
    return len(label.translate(str.maketrans("", "", "$_{}")))


def _tile_size(rows: np.ndarray, room: int) -> tuple[int, int]:
    """Width and height of a tile: whole dots for each value, unless they are too many."""
    count, steps, _, height, width = rows.shape
    widest, highest = min(_TILE, room / steps - _GAP), _HEIGHT / count - _GAP
    scale = min(widest / width, highest / height)
    scale = max(1, int(scale)) if scale >= 1 else scale
    return max(1, round(width * scale)), max(_LINE, round(height * scale))


# -- vectors -----------------------------------------------------------------------------------


def _heat_maps(rows: Real[np.ndarray, "rows steps features"], walk: Walk) -> Figure:
    count, steps, features = rows.shape
    scaled, unit = comparable({"": rows.reshape(-1, features)})
    maps = scaled[""].reshape(rows.shape)
    low, high = value_range(maps)
    columns = 1 if features > 60 or count == 1 else 2
    lines = -(-count // columns)
    size = (9, min(1.35, 8.6 / lines) * lines + 0.8)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(lines, columns, sharex=True, squeeze=False)
    ticks = sorted({0, steps // 2, steps - 1})
    norm = Normalize(low, high)
    for ax, label, values in zip(grid.flat, walk.labels, maps, strict=False):
        ax.imshow(values, "cividis", norm=norm, aspect="auto", interpolation="nearest")
        ax.set_title(label)
        ax.set_yticks(ticks, [walk.headers[tick] for tick in ticks])
        ax.xaxis.set_major_locator(round_ticks(7, integer=True))
        ax.tick_params(length=0)
        ax.grid(visible=False)
        ax.spines[:].set_visible(False)
    for index, ax in enumerate(grid.flat):
        ax.set_visible(index < count)
        ax.tick_params(labelbottom=index + columns >= count)  # nothing below
    colors = ScalarMappable(norm, "cividis")
    bar = figure.colorbar(colors, ax=grid, pad=0.01, aspect=30, ticks=round_ticks(5), label=unit)
    bar.outline.set_visible(False)
    figure.supxlabel("feature", fontsize=9, color=MUTED)
    if walk.title:
        figure.suptitle(walk.title, x=0.012, ha="left", fontsize=9.5)
    return figure
