"""From a graph in torch to the bytes of one in ONNX."""

import copy
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, TypeVar, final

import torch
from torch import Tensor, nn

from vaekit.artifacts import Port
from vaekit.errors import MissingExtraError, SpecError
from vaekit.export.graphs import Graph, OpenSize
from vaekit.export.operators import OPSET, translations

_M = TypeVar("_M", bound=nn.Module)

DTYPES: Final = {torch.float32: "float32", torch.float64: "float64", torch.int64: "int64"}


@final
class Traced(NamedTuple):
    """A graph in ONNX, and what goes in and comes out."""

    content: bytes
    inputs: dict[str, Port]
    outputs: dict[str, Port]


@torch.no_grad()
def traced(graph: Graph) -> Traced:
    """Exports a graph; the numbers of examples and samples stay open.

    The same graph gives the same bytes, without a word of the machine that it was made on.

    Args:
        graph: On the CPU, in evaluation mode.

    Raises:
        SpecError: Something in it has no form in ONNX.
        MissingExtraError: The extra 'onnx' is not installed.
    """
    given = graph.examples()
    inputs = {name: _port(example, graph.open_size(name)) for name, example in given.items()}
    outputs = {name: _port(found, "examples") for name, found in graph(*given.values()).items()}
    try:
        with quiet():
            program = torch.onnx.export(
                graph,
                tuple(given.values()),
                dynamo=True,
                input_names=list(given),
                output_names=list(outputs),
                dynamic_shapes=(tuple(_dynamic(port) for port in inputs.values()),),
                opset_version=OPSET,
                custom_translation_table=translations(),
                external_data=False,
                verbose=False,
            )
    except torch.onnx.errors.OnnxExporterError as error:
        raise SpecError(
            f"The graph '{graph.name}' of this model has no form in ONNX.",
            where=f"{graph.serving.name}, model.kind = {graph.serving.model_kind!r}",
            expected="operations that ONNX has",
            found=_reason(error),
            remedy="run the model with torch (vaekit.load), and report this",
        ) from error
    if program is None:
        raise RuntimeError("torch.onnx.export gave no program")
    return Traced(_bare(program.model_proto).SerializeToString(), inputs, outputs)


def for_export(module: _M) -> _M:
    """A copy in float32 on the CPU, with masked weights as plain ones: what a graph is made of."""
    plain = copy.deepcopy(module).cpu().float().eval().requires_grad_(False)
    for parent in list(plain.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Linear) and isinstance(getattr(child, "mask", None), Tensor):
                setattr(parent, name, _unmasked(child))
    return plain


def _unmasked(layer: nn.Linear) -> nn.Linear:
    plain = nn.Linear(layer.in_features, layer.out_features, bias=layer.bias is not None)
    plain.weight = nn.Parameter(layer.weight * layer.get_buffer("mask"), requires_grad=False)
    if layer.bias is not None:
        plain.bias = layer.bias
    return plain


def _port(example: Tensor, size: OpenSize | None) -> Port:
    name = DTYPES.get(example.dtype, str(example.dtype).removeprefix("torch."))
    shape: tuple[int, ...] = tuple(example.shape)
    return Port(shape=shape if size is None else (size, *shape[1:]), dtype=name)


def _dynamic(port: Port) -> dict[int, str]:
    return {at: size for at, size in enumerate(port.shape) if isinstance(size, str)}


def _bare(model: Any) -> Any:
    """Without stack traces, names of files, and what is known of values on the way."""
    for holder in (model, model.graph, *model.graph.node, *model.graph.input, *model.graph.output):
        holder.ClearField("metadata_props")
        holder.ClearField("doc_string")
    model.graph.ClearField("value_info")
    return model


def _reason(error: BaseException) -> str:
    """The last cause that has something to say, in one line."""
    cause = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return f"{type(cause).__name__}: {str(cause).strip().partition(chr(10))[0][:200]}"


@contextmanager
def quiet() -> Iterator[None]:
    """Without what torch says of its own insides, and of packages that are not installed."""
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError:
        raise MissingExtraError("onnx", "Exporting to ONNX") from None
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
