"""Weights of matrix products in 8 bits; everything else stays as it is.

    w ~ scale_j q,    q in {-127, ..., 127},    scale_j = max_i |w_ij| / 127    for each output j

The graph holds q and the scales, and a DequantizeLinear in front of the product. Activations are
never rounded, so that there is no range to measure, and none of a batch: an example's score does
not depend on its neighbours. Convolutions keep their floating-point weights: a kernel has few
weights, and each of them serves every place of an image.

Reference:
    Jacob et al. (2018), Quantization and Training of Neural Networks for Efficient
    Integer-Arithmetic-Only Inference, https://arxiv.org/abs/1712.05877
"""

from typing import Any, Final

import numpy as np

from vaekit.errors import SpecError

FEWEST_WEIGHTS: Final = 256
"""Of a matrix worth the node that stands in front of it."""


def in_int8(graph: bytes) -> tuple[bytes, int]:
    """A graph with the weights of its matrix products in int8, and how many matrices that are.

    Args:
        graph: With weights in float32.
    """
    import onnx

    model = onnx.load_model_from_string(graph)
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    products = [
        (node, axis, node.input[1])
        for node in model.graph.node
        if (axis := _output_axis(node)) is not None and _is_matrix(weights.get(node.input[1]))
    ]
    made: dict[tuple[str, int], str] = {}
    in_front: list[Any] = []
    for node, axis, name in products:
        if (name, axis) not in made:
            made[name, axis] = f"{name}_from_int8_{axis}"
            in_front.append(_dequantised(model.graph, weights[name], axis, made[name, axis]))
        node.input[1] = made[name, axis]
    used = {name for node in model.graph.node for name in node.input}
    for name in {name for name, _ in made} - used:
        model.graph.initializer.remove(weights[name])
    for node in reversed(in_front):
        model.graph.node.insert(0, node)
    onnx.checker.check_model(model)
    return model.SerializeToString(), len(made)


def _dequantised(graph: Any, weight: Any, axis: int, name: str) -> Any:
    """The node that makes a weight of its int8 form, which is put into the graph."""
    from onnx import helper, numpy_helper

    q, scale = _rounded(numpy_helper.to_array(weight), axis)
    parts = {f"{name}_q": q, f"{name}_scale": scale}
    for part, values in parts.items():
        graph.initializer.append(numpy_helper.from_array(values, part))
    return helper.make_node("DequantizeLinear", list(parts), [name], axis=axis)


def refuse_nothing_to_round(matrices: int, name: str) -> None:
    """For models without matrix products of any size.

    Raises:
        SpecError: There were none.
    """
    if matrices == 0:
        raise SpecError(
            "There is nothing in this model that int8 would make smaller.",
            where=f"{name}, --int8",
            expected=f"matrix products with {FEWEST_WEIGHTS} weights or more",
            found="none (convolutions keep their weights)",
            remedy="leave --int8 out",
        )


def _output_axis(node: Any) -> int | None:
    """The dimension of a product's second factor that counts its outputs; None for no product."""
    if node.op_type == "MatMul":
        return 1
    if node.op_type != "Gemm":
        return None
    transposed = any(a.name == "transB" and a.i == 1 for a in node.attribute)
    return 0 if transposed else 1


def _is_matrix(tensor: Any) -> bool:
    """Whether there is such a weight, and it is worth it."""
    from onnx import TensorProto

    return (
        tensor is not None
        and tensor.data_type == TensorProto.FLOAT
        and len(tensor.dims) == 2
        and tensor.dims[0] * tensor.dims[1] >= FEWEST_WEIGHTS
    )


def _rounded(weight: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    largest = np.abs(weight).max(1 - axis)
    scale = np.where(largest > 0, largest / 127, 1.0).astype(np.float32)
    q = np.rint(weight / np.expand_dims(scale, 1 - axis))
    return np.clip(q, -127, 127).astype(np.int8), scale
