"""A request of the Open Inference Protocol taken apart, and its response put together.

With the binary tensor extension a body is JSON followed by the tensors' bytes, and the header
`Inference-Header-Content-Length` says where the JSON ends.

Reference:
    Open Inference Protocol, https://github.com/kserve/open-inference-protocol
    Triton, Binary Tensor Data Extension, in the same form
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import orjson

from vaekit.serving.body import BodyLimits, parsed
from vaekit.serving.refusals import MalformedError
from vaekit.serving.tensors import (
    DATATYPES,
    NAMES,
    from_bytes,
    from_json,
    to_bytes,
    to_json,
)

HEADER: Final = b"inference-header-content-length"
MOST_DIMENSIONS: Final = 8


class InferRequest(NamedTuple):
    """What was asked, in arrays."""

    id: str | None
    parameters: dict[str, Any]
    tensors: dict[str, np.ndarray]
    outputs: dict[str, bool] | None
    """Which outputs are wanted, and whether as bytes; all of them, where absent."""
    binary: bool
    """Whether outputs are bytes where nothing is said of each."""


def infer_request(body: bytes, head_length: bytes | None, limits: BodyLimits) -> InferRequest:
    """What a body asks for.

    Args:
        body: All of it.
        head_length: The header of the binary extension, where there is one.
        limits: Of the JSON in it.

    Raises:
        RequestError: It is not a request of the protocol.
    """
    end = _end_of_head(body, head_length)
    document = parsed(body[:end], limits)
    _check_keys(document, ("id", "parameters", "inputs", "outputs"), "the request")
    parameters = _object(document.get("parameters", {}), "parameters")
    binary = _flag(parameters.pop("binary_data_output", False), "binary_data_output")
    identifier = document.get("id")
    if identifier is not None and (not isinstance(identifier, str) or len(identifier) > 256):
        raise MalformedError("The id of a request is a short text.", where="id")
    return InferRequest(
        identifier,
        parameters,
        _tensors(document.get("inputs", []), memoryview(body)[end:]),
        _outputs(document.get("outputs"), binary),
        binary,
    )


class InferResponse(NamedTuple):
    """The body of a response, and the length of its head where bytes follow."""

    body: bytes
    head_length: int | None


def infer_response(
    head: dict[str, Any], answer: Mapping[str, np.ndarray], request: InferRequest
) -> InferResponse:
    """The answer to a request.

    Args:
        head: Model, version and id.
        answer: Arrays by name of the output.
        request: Says which of them are wanted, and how.

    Raises:
        MalformedError: There is no such output.
    """
    wanted = request.outputs or dict.fromkeys(answer, request.binary)
    outputs, tail = [], []
    for name, as_bytes in wanted.items():
        if name not in answer:
            raise MalformedError(
                f"There is no output {name[:60]!r}.", where="outputs", expected=", ".join(answer)
            )
        array = answer[name]
        entry = {"name": name, "datatype": NAMES[array.dtype], "shape": list(array.shape)}
        if as_bytes:
            tail.append(to_bytes(array))
            outputs.append({**entry, "parameters": {"binary_data_size": len(tail[-1])}})
        else:
            outputs.append({**entry, "data": to_json(array)})
    json_part = orjson.dumps({**head, "outputs": outputs})
    if not tail:
        return InferResponse(json_part, None)
    return InferResponse(b"".join([json_part, *tail]), len(json_part))


def _end_of_head(body: bytes, head_length: bytes | None) -> int:
    if head_length is None:
        return len(body)
    if not head_length.isdigit() or int(head_length[:19]) > len(body):
        raise MalformedError(
            "The length of the JSON does not fit the body.",
            where="Inference-Header-Content-Length",
            expected=f"0 to {len(body)}",
        )
    return int(head_length)


def _tensors(inputs: Any, tail: memoryview) -> dict[str, np.ndarray]:
    tensors: dict[str, np.ndarray] = {}
    for number, given in enumerate(_list(inputs, "inputs")):
        where = f"inputs[{number}]"
        tensor = _object(given, where)
        _check_keys(tensor, ("name", "shape", "datatype", "parameters", "data"), where)
        name, datatype, shape = _name(tensor, where), tensor.get("datatype"), _shape(tensor, where)
        if name in tensors:
            raise MalformedError("An input is there twice.", where=where, found=name)
        if not isinstance(datatype, str) or datatype not in DATATYPES:
            raise MalformedError(
                "A datatype is not known.", where=where, expected=", ".join(DATATYPES)
            )
        size = _binary_size(_object(tensor.get("parameters", {}), where), where)
        if size is None:
            tensors[name] = from_json(tensor.get("data"), datatype, shape, where)
            continue
        if "data" in tensor:
            raise MalformedError("A tensor is there both as JSON and as bytes.", where=where)
        if size > len(tail):
            raise MalformedError(
                "A binary tensor ends before its end.", where=where, found=f"{len(tail)} bytes"
            )
        tensors[name] = from_bytes(tail[:size], datatype, shape, where)
        tail = tail[size:]
    if len(tail):
        raise MalformedError("Bytes follow that belong to no tensor.", found=f"{len(tail)} bytes")
    return tensors


def _outputs(outputs: Any, binary: bool) -> dict[str, bool] | None:
    if not outputs:
        return None
    wanted = {}
    for number, given in enumerate(_list(outputs, "outputs")):
        where = f"outputs[{number}]"
        output = _object(given, where)
        _check_keys(output, ("name", "parameters"), where)
        parameters = _object(output.get("parameters", {}), where)
        _check_keys(parameters, ("binary_data",), f"{where}.parameters")
        wanted[_name(output, where)] = _flag(parameters.get("binary_data", binary), where)
    return wanted


def _binary_size(parameters: dict[str, Any], where: str) -> int | None:
    _check_keys(parameters, ("binary_data_size",), f"{where}.parameters")
    size = parameters.get("binary_data_size")
    if size is not None and (type(size) is not int or size < 0):
        raise MalformedError("binary_data_size is no size.", where=where)
    return size


def _shape(tensor: dict[str, Any], where: str) -> tuple[int, ...]:
    shape = _list(tensor.get("shape"), f"{where}.shape")
    if len(shape) > MOST_DIMENSIONS or not all(map(_is_side, shape)):
        raise MalformedError(
            "A shape is no shape.",
            where=where,
            expected=f"whole numbers, one or more each, {MOST_DIMENSIONS} at most",
        )
    return tuple(shape)


def _is_side(side: Any) -> bool:
    return type(side) is int and 0 < side < 2**63


def _name(tensor: dict[str, Any], where: str) -> str:
    name = tensor.get("name")
    if not isinstance(name, str):
        raise MalformedError("A name is missing.", where=where, expected="a text 'name'")
    return name


def _check_keys(found: dict[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in found:
        if key not in known:
            raise MalformedError(
                f"There is no key {key[:60]!r} here.", where=where, expected=", ".join(known)
            )


def _object(found: Any, where: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise MalformedError("This is no JSON object.", where=where)
    return found


def _list(found: Any, where: str) -> list[Any]:
    if not isinstance(found, list):
        raise MalformedError("This is no list.", where=where)
    return found


def _flag(found: Any, where: str) -> bool:
    if not isinstance(found, bool):
        raise MalformedError("This is neither true nor false.", where=where)
    return found
