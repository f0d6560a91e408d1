"""Examples as pictures: arrays of bytes that every tracker takes."""

import math
from typing import TypeAlias, final

import numpy as np
from jaxtyping import Float, UInt8
from torch import Tensor

from vaekit.data import Transform
from vaekit.schema import Schema

Sheet: TypeAlias = UInt8[np.ndarray, "rows columns 3"]
Images: TypeAlias = Float[np.ndarray, "n channels height width"]


@final
class Pictures:
    """Draws transformed values in raw units, where these are images of one or three channels.

    Args:
        transform: Whose values are drawn.
        schema: What is black and what is white.
    """

    def __init__(self, transform: Transform, schema: Schema) -> None:
        self._transform, self._low, self._high = transform, schema.low, schema.high
        self._drawable = schema.kind == "image" and schema.event_shape[0] in (1, 3)

    def sheet(self, x: Tensor) -> Sheet | None:
        """Images one beside another; None where these are no images."""
        images = self.unit(x)
        return None if images is None else tiled(images)

    def pairs(self, x: Tensor, reconstructed: Tensor) -> Sheet | None:
        """Every original with its reconstruction to the right of it."""
        originals, others = self.unit(x), self.unit(reconstructed)
        if originals is None or others is None:
            return None
        return tiled(np.concatenate([originals, others], axis=3))

    def unit(self, x: Tensor) -> Images | None:
        """Values from 0 (black) to 1 (white); what is missing is grey."""
        if not self._drawable:
            return None
        raw = self._transform.inverse(x).float().cpu().numpy()
        low = np.nanmin(raw) if self._low is None else self._low
        high = np.nanmax(raw) if self._high is None else self._high
        return np.nan_to_num(np.clip((raw - low) / max(high - low, 1e-12), 0, 1), nan=0.5)


def tiled(images: Images) -> Sheet:
    """Images row by row in about a square, with white lines between them.

    Example:
        >>> tiled(np.zeros((4, 1, 2, 3), np.float32)).shape
        (5, 7, 3)
    """
    n, _, height, width = images.shape
    columns = min(n, max(1, round(math.sqrt(n * height / width))))
    rows = math.ceil(n / columns)
    sheet = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1, 3), 255, np.uint8)
    for index, image in enumerate(images):
        top, left = index // columns * (height + 1), index % columns * (width + 1)
        sheet[top : top + height, left : left + width] = np.moveaxis(image * 255 + 0.5, 0, -1)
    return sheet
