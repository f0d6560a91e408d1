"""PNG in and out, for models of images.

Black is the lowest value of the schema, white the highest.
"""

import io
import math
from typing import Any, Final

import numpy as np

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
    columns = math.ceil(math.sqrt(len(x)))
    rows = math.ceil(len(x) / columns)
    channels, height, width = schema.event_shape
    sheet = np.zeros((rows * columns, channels, height, width))
    sheet[: len(x)] = np.clip((x - low) / (high - low), 0, 1)
    grid = sheet.reshape(rows, columns, channels, height, width).transpose(0, 3, 1, 4, 2)
    pixels = np.round(grid.reshape(rows * height, columns * width, channels) * 255)
    drawn = pixels.astype(np.uint8)
    image = pillow().fromarray(drawn[..., 0] if mode == "L" else drawn)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


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
