"""PNG in and out, for models of images.

Black is the lowest value of the schema, white the highest.
"""

import io
import math
from typing import Any, Final

import numpy as np
from jaxtyping import Float64, Shaped, UInt8

from vaekit.errors import MissingExtraError
from vaekit.schema import Schema
from vaekit.serving.refusals import MalformedError, MediaTypeError, TooLargeError

PNG: Final = b"image/png"
MOST_PIXELS: Final = 2**24
_MODES: Final = {1: "L", 3: "RGB"}


def from_png(content: bytes, schema: Schema) -> np.ndarray:
    """The one example that a picture is, as raw values.

    Raises:
        RequestError: It is no picture, not of this size, or the model takes none.
    """
    mode, (low, high) = _mode(schema), _range(schema)
    image_module = pillow()
    _check_pixels(content)
    try:
        with image_module.open(io.BytesIO(content), formats=("PNG",)) as opened:
            channels, height, width = schema.event_shape
            if opened.size != (width, height):
                raise MalformedError(
                    "The picture does not have the size of the model's.",
                    expected=f"{width} x {height} pixels",
                    found=f"{opened.size[0]} x {opened.size[1]}",
                )
            pixels = np.asarray(opened.convert(mode), np.float64)
    except (OSError, ValueError, SyntaxError, *_bombs(image_module)) as error:
        raise MalformedError("The body is no PNG picture.") from error
    values = low + pixels.reshape(height, width, channels) / 255 * (high - low)
    values = values if schema.is_float else np.round(values)
    return np.moveaxis(values, -1, 0)[None]


def to_png(x: np.ndarray, schema: Schema) -> bytes:
    """Examples as one picture: side by side, in about a square.

    Raises:
        RequestError: The model makes no pictures, or these are too many.
    """
    mode, (low, high) = _mode(schema), _range(schema)
    drawn = np.round(255 * scaled(x, low, high)).astype(np.uint8)
    shown = drawn[:, 0] if mode == "L" else np.moveaxis(drawn, 1, -1)
    return png(side_by_side(shown, math.ceil(math.sqrt(len(x)))))


def scaled(
    x: Shaped[np.ndarray, "*event"], low: float, high: float
) -> Float64[np.ndarray, "*event"]:
    """Values from 0, the lowest, to 1, the highest; what is beyond is the one or the other."""
    return np.clip((np.asarray(x, np.float64) - low) / max(high - low, 1e-12), 0.0, 1.0)


def side_by_side(
    pictures: UInt8[np.ndarray, "n h w ..."], columns: int, gap: int = 0, paper: int = 0
) -> UInt8[np.ndarray, "height width ..."]:
    """Pictures of one size beside and below each other.

    Args:
        pictures: One or more.
        columns: How many stand beside each other.
        gap: Pixels between them.
        paper: Grey level of what no picture covers.
    """
    height, width = pictures.shape[1:3]
    rows = math.ceil(len(pictures) / columns)
    shape = (rows * (height + gap) - gap, columns * (width + gap) - gap, *pictures.shape[3:])
    sheet = np.full(shape, paper, np.uint8)
    for number, shown in enumerate(pictures):
        top, left = (height + gap) * (number // columns), (width + gap) * (number % columns)
        sheet[top : top + height, left : left + width] = shown
    return sheet


def png(pixels: UInt8[np.ndarray, "h w ..."]) -> bytes:
    """A PNG file."""
    file = io.BytesIO()
    pillow().fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def is_picture(schema: Schema) -> bool:
    """Whether examples can be written as PNG."""
    is_image = schema.kind == "image" and schema.event_shape[0] in _MODES
    return is_image and schema.low is not None and schema.high is not None


def _check_pixels(content: bytes) -> None:
    """Looks at the size before anything is made of it: a few bytes can say that they are huge."""
    width, height = (int.from_bytes(content[at : at + 4]) for at in (16, 20))
    if width * height > MOST_PIXELS:
        raise TooLargeError("The picture is too large.", expected=f"{MOST_PIXELS:,} pixels at most")


def _bombs(image_module: Any) -> tuple[type[Exception], ...]:
    """What Pillow says of a picture that turns out larger than its head said."""
    return image_module.DecompressionBombError, image_module.DecompressionBombWarning


def _mode(schema: Schema) -> str:
    if schema.kind != "image" or schema.event_shape[0] not in _MODES:
        raise MediaTypeError(
            f"{schema.name} is nothing that a picture shows.",
            expected="application/json",
            found="image/png",
        )
    return _MODES[schema.event_shape[0]]


def _range(schema: Schema) -> tuple[float, float]:
    if schema.low is None or schema.high is None:
        raise MediaTypeError(
            f"Values of {schema.name} have no range, so none of them is black or white.",
            expected="application/json",
        )
    return schema.low, schema.high


def pillow() -> Any:
    """The module that reads and writes pictures.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtraError("serve", "Reading and writing pictures") from None
    return Image
