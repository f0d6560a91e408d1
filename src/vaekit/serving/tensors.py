"""Tensors of the Open Inference Protocol: JSON or raw little-endian bytes, and numpy arrays."""

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from vaekit.artifacts import Port
from vaekit.condition import Condition
from vaekit.serving.refusals import MalformedError

DATATYPES: Final[Mapping[str, str]] = {
    "BOOL": "bool",
    "UINT8": "uint8",
    "UINT16": "uint16",
    "UINT32": "uint32",
    "UINT64": "uint64",
    "INT8": "int8",
    "INT16": "int16",
    "INT32": "int32",
    "INT64": "int64",
    "FP16": "float16",
    "FP32": "float32",
    "FP64": "float64",
}
NAMES: Final[Mapping[np.dtype[Any], str]] = {np.dtype(d): name for name, d in DATATYPES.items()}
"""By the dtype itself: to find its name takes longer than the rest of an answer."""


def numbers(data: Any, where: str) -> np.ndarray:
    """Lists of numbers as an array; null is a missing value.

    Raises:
        MalformedError: They are something else.
    """
    try:
        array = np.asarray(data)
        if array.dtype.kind == "O":
            array = np.asarray(data, np.float64)  # null becomes NaN; text and objects do not
    except (ValueError, TypeError, OverflowError) as error:
        raise MalformedError("This is not an array of numbers.", where=where) from error
    if array.size and array.dtype.kind not in "buif":
        raise MalformedError("This is not an array of numbers.", where=where)
    return array


def from_json(data: Any, datatype: str, shape: tuple[int, ...], where: str) -> np.ndarray:
    """A tensor whose values came as JSON, nested or flat.

    Raises:
        MalformedError: They are not what datatype and shape say.
    """
    if not isinstance(data, list):
        raise MalformedError("A tensor has no data.", where=where, expected="a list")
    array, dtype = _pixels(data) if datatype == "UINT8" else None, np.dtype(DATATYPES[datatype])
    array = numbers(data, where) if array is None else array
    if array.size != math.prod(shape):
        raise MalformedError(
            "A tensor does not have the values that its shape says.",
            where=where,
            expected=f"{math.prod(shape):,}, for shape {list(shape)}",
            found=f"{array.size:,}",
        )
    with np.errstate(over="ignore", invalid="ignore"):  # the model's own door says so
        converted = array.astype(dtype)
    if dtype.kind in "buif"[:3] and not np.array_equal(converted, array):
        raise MalformedError(
            "A tensor holds values that its datatype cannot.", where=where, expected=datatype
        )
    return converted.reshape(shape)


def _pixels(data: list[Any]) -> np.ndarray | None:
    """Flat values from 0 to 255, as most pictures come, three times as fast; None of any others."""
    try:
        return np.frombuffer(bytes(data), np.uint8)
    except (TypeError, ValueError):
        return None


def from_bytes(data: memoryview, datatype: str, shape: tuple[int, ...], where: str) -> np.ndarray:
    """A tensor whose values came as bytes.

    Raises:
        MalformedError: There are more or fewer than datatype and shape say.
    """
    dtype = np.dtype(DATATYPES[datatype]).newbyteorder("<")
    expected = math.prod(shape) * dtype.itemsize
    if len(data) != expected:
        raise MalformedError(
            "A binary tensor does not have the size that its shape says.",
            where=where,
            expected=f"{expected:,} bytes, for {datatype} of shape {list(shape)}",
            found=f"{len(data):,} bytes",
        )
    if datatype == "BOOL":
        return np.frombuffer(data, np.uint8).reshape(shape) != 0
    return np.frombuffer(data, dtype).reshape(shape)


def to_json(array: np.ndarray) -> list[Any]:
    """Values in one flat list, as the protocol has them; what is not finite becomes null."""
    return array.reshape(-1).tolist()


def to_bytes(array: np.ndarray) -> bytes:
    """Values as the binary extension has them."""
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


def port_metadata(name: str, port: Port) -> dict[str, Any]:
    """How metadata describe an array."""
    shape = [-1 if side == "examples" else side for side in port.shape]
    return {"name": name, "datatype": NAMES[np.dtype(port.dtype)], "shape": shape}


def condition_metadata(condition: Condition) -> dict[str, Any]:
    """How metadata describe what a model may be told."""
    datatype = "FP64" if condition.num_classes is None else "INT64"
    return {"name": condition.name, "datatype": datatype, "shape": [-1]}
