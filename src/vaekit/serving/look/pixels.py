"""Examples as pictures: an image as it is, a vector as bars."""

import base64
from typing import Final

import numpy as np
from jaxtyping import Float, Shaped, UInt8

from vaekit.schema import Schema
from vaekit.serving.pictures import png, scaled, side_by_side

GAP: Final = 1
"""Pixels between the pictures of a sheet."""
BAR_WIDTH, BAR_HEIGHT = 6, 64
PAPER: Final = 255
INK: Final = 40


def picture(x: Shaped[np.ndarray, "*event"], schema: Schema) -> UInt8[np.ndarray, "h w ..."]:
    """One raw example as grey levels or colours from 0 to 255."""
    shown = _scaled(np.asarray(x, np.float64), schema)
    if schema.kind == "vector":
        return _bars(shown)
    levels = np.round(255 * shown).astype(np.uint8)
    return levels[0] if len(levels) != 3 else np.moveaxis(levels, 0, -1)


def sheet(
    x: Shaped[np.ndarray, "examples *event"], schema: Schema, columns: int
) -> UInt8[np.ndarray, "h w ..."]:
    """Several examples beside and below each other."""
    pictures = np.stack([picture(example, schema) for example in x])
    return side_by_side(pictures, columns, GAP, PAPER)


def inline(pixels: UInt8[np.ndarray, "h w ..."]) -> str:
    """A picture as a URL that carries it."""
    return f"data:image/png;base64,{base64.b64encode(png(pixels)).decode()}"


def _scaled(x: Float[np.ndarray, "*event"], schema: Schema) -> Float[np.ndarray, "*event"]:
    """Values from 0 to 1, over the range of the data or, where it has none, of the example."""
    known = np.nan_to_num(x, nan=0.0)
    low = float(known.min()) if schema.low is None else schema.low
    high = float(known.max()) if schema.high is None else schema.high
    return scaled(known, low, high)


def _bars(values: Float[np.ndarray, " features"]) -> UInt8[np.ndarray, "h w"]:
    """A bar for each value, from the bottom up."""
    heights = np.round(values * (BAR_HEIGHT - 1)).astype(int) + 1
    filled = np.arange(BAR_HEIGHT, 0, -1)[:, None] <= heights[None]
    bars = np.where(filled, INK, PAPER).astype(np.uint8)
    wide = np.repeat(bars, BAR_WIDTH, axis=1)
    wide[:, BAR_WIDTH - 1 :: BAR_WIDTH] = PAPER
    return wide
