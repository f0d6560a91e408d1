"""The IDX format of the MNIST family: bytes behind a header that states their shape.

    0x00 0x00 0x08 (unsigned bytes), number of dimensions, each dimension as big-endian int32

Reference:
    LeCun, Cortes and Burges, The MNIST database of handwritten digits (file formats)
"""

import math
import struct

import numpy as np
from jaxtyping import UInt8

from vaekit.errors import DataError


def read_idx(content: bytes, where: object) -> UInt8[np.ndarray, "*shape"]:
    """The array in the bytes of an IDX file.

    Raises:
        DataError: Where the bytes are no IDX file, or not all of one.
    """
    dimensions = content[3] if len(content) > 3 else 0
    header = 4 + 4 * dimensions
    if content[:3] != b"\0\0\x08" or dimensions == 0 or len(content) < header:
        raise DataError(
            "This is not an IDX file of bytes.",
            where=where,
            expected="the bytes 00 00 08 at its start",
            found=content[:4].hex(" ") or "an empty file",
        )
    shape = struct.unpack(f">{dimensions}I", content[4:header])
    if len(content) != header + math.prod(shape):
        raise DataError(
            "An IDX file does not have the size that it states.",
            where=where,
            expected=f"{header + math.prod(shape)} bytes, for shape {shape}",
            found=f"{len(content)} bytes",
            remedy="fetch the file again",
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def idx_bytes(array: UInt8[np.ndarray, "*shape"]) -> bytes:
    """The IDX file of an array.

    Example:
        >>> idx_bytes(np.array([7, 9], dtype=np.uint8)).hex(" ")
        '00 00 08 01 00 00 00 02 07 09'
    """
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return header + array.tobytes()
