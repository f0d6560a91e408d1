"""Formulas that keep their digits where the naive ones lose them."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid


def at_least_float32(value: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Raises half precision to float32: no likelihood or KL is computed in less."""
    return value.float() if value.dtype in (torch.bfloat16, torch.float16) else value


def smooth_bound(
    value: Float[Tensor, "*shape"], limit: float | Float[Tensor, "*shape"]
) -> Float[Tensor, "*shape"]:
    """Keeps `value` inside [-limit, limit]: limit tanh(value / limit), the identity near zero.

    Bounding log-scales this way means that no exponential after it can overflow, and that
    the gradient fades (as 1 / cosh^2) where that of a hard clamp would end at a corner.

    Example:
        >>> smooth_bound(torch.tensor([0.0, 1e9]), limit=7.0)
        tensor([0., 7.])
    """
    return limit * torch.tanh(value / limit)


def smooth_range(
    value: Float[Tensor, "*shape"], low: float, high: float
) -> Float[Tensor, "*shape"]:
    """Keeps `value` between `low`, below zero, and `high`, above: the identity near zero.

    Example:
        >>> smooth_range(torch.tensor([-1e9, 0.0, 1e9]), low=-7.0, high=2.0)
        tensor([-7.,  0.,  2.])
    """
    upper = torch.full_like(value, high)
    return smooth_bound(value, upper.where(value > 0, -low))


def inverse_smooth_bound(
    bounded: Float[Tensor, "*shape"], limit: float | Float[Tensor, "*shape"]
) -> Float[Tensor, "*shape"]:
    """The value that `smooth_bound` maps to `bounded`; infinite at the limit, NaN beyond it."""
    return limit * torch.atanh(bounded / limit)


def smooth_floor(value: Float[Tensor, "*shape"], floor: float) -> Float[Tensor, "*shape"]:
    """log(e^value + e^floor): above `floor`, and the identity far above it.

    Of a log-scale: the scale keeps a distance of e^floor from zero.

    Example:
        >>> smooth_floor(torch.tensor([-1e9, 3.0]), floor=-7.0)
        tensor([-7.0000,  3.0000])
    """
    # torch's softplus turns into the identity at 20, an error of 2e-9; logsigmoid is exact.
    return floor - logsigmoid(floor - value)


def inverse_smooth_floor(floored: Float[Tensor, "*shape"], floor: float) -> Float[Tensor, "*shape"]:
    """The value that `smooth_floor` maps to `floored`.

    What lies less than 1e-6 above the floor, or below it, counts as 1e-6 above: nothing finite
    is mapped to the floor itself.
    """
    excess = (floored - floor).clamp_min(1e-6)
    return floor + excess + torch.log(-torch.expm1(-excess))


def log_mean_exp(values: Float[Tensor, "samples *shape"]) -> Float[Tensor, "*shape"]:
    """log of the mean of exp(values) over the first dimension.

    Example:
        >>> float(log_mean_exp(torch.tensor([1000.0, 1000.0])))
        1000.0
    """
    return torch.logsumexp(values, dim=0) - math.log(values.shape[0])
