"""How torch operations are said in ONNX where the exporter's own way loses digits.

ONNX has no log1p, expm1, logsigmoid or logaddexp. Written as they are defined (log(sigmoid(x)))
they are infinite, or noise, where torch has a number:

    log1p(x)        = x log(u) / (u - 1),  u = 1 + x as rounded; x where u is 1
    expm1(x)        = 2 t / (1 - t),  t = tanh(x / 2), near zero; exp(x) - 1 elsewhere
    logsigmoid(x)   = min(x, 0) - log1p(exp(-|x|))
    logaddexp(a, b) = max(a, b) + log1p(exp(-|a - b|))

Attention over examples without heads, softmax(q k' / sqrt(features)) v, is missing altogether.

Reference:
    Higham (2002), Accuracy and Stability of Numerical Algorithms, section 1.14.1 (log1p)
"""

import math
from collections.abc import Callable
from typing import Any, Final

import torch

from vaekit.errors import MissingExtraError

OPSET: Final = 18
"""The version of ONNX's operators that graphs are written in: what torch exports without
conversion, and runtimes since 2022 read."""


def translations() -> dict[Callable[..., Any], Callable[..., Any]]:
    """ONNX for some torch operations, as `torch.onnx.export` takes it.

    Raises:
        MissingExtraError: The extra 'onnx' is not installed.
    """
    _operators()
    aten = torch.ops.aten
    return {
        aten.log1p.default: _log1p,
        aten.expm1.default: _expm1,
        aten.special_expm1.default: _expm1,
        aten.log_sigmoid.default: _log_sigmoid,
        aten.logaddexp.default: _logaddexp,
        aten.scaled_dot_product_attention.default: _attention,
    }


def _operators() -> Any:
    """ONNX's operators of version OPSET; they take plain numbers beside values."""
    try:
        from onnxscript import opset18
    except ImportError:
        raise MissingExtraError("onnx", "Exporting to ONNX") from None
    return opset18


def _log1p(x: Any) -> Any:
    op = _operators()
    u = op.Add(x, 1.0)
    is_one = op.Equal(u, op.CastLike(1.0, x))
    moved = op.Where(is_one, op.CastLike(2.0, x), u)  # whatever: it is not chosen
    return op.Where(is_one, x, op.Div(op.Mul(x, op.Log(moved)), op.Sub(moved, 1.0)))


def _expm1(x: Any) -> Any:
    op = _operators()
    one = op.CastLike(1.0, x)
    t = op.Tanh(op.Mul(op.Clip(x, op.Neg(one), one), 0.5))
    near = op.Div(op.Mul(t, 2.0), op.Sub(one, t))
    return op.Where(op.Less(op.Abs(x), one), near, op.Sub(op.Exp(x), one))


def _log_sigmoid(x: Any) -> Any:
    op = _operators()
    return op.Sub(op.Min(x, op.CastLike(0.0, x)), _log1p_of_exp_of_minus(op.Abs(x)))


def _logaddexp(a: Any, b: Any) -> Any:
    op = _operators()
    return op.Add(op.Max(a, b), _log1p_of_exp_of_minus(op.Abs(op.Sub(a, b))))


def _attention(query: Any, key: Any, value: Any) -> Any:
    op, scale = _operators(), 1 / math.sqrt(query.shape[-1])
    likeness = op.MatMul(op.Mul(query, scale), op.Transpose(key, perm=[0, 2, 1]))
    return op.MatMul(op.Softmax(likeness, axis=-1), value)


def _log1p_of_exp_of_minus(distance: Any) -> Any:
    op = _operators()
    return _log1p(op.Exp(op.Neg(distance)))
