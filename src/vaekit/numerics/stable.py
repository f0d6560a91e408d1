"""Formulas that keep their digits where the naive ones lose them."""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def smooth_bound(value: Float[Tensor, "*shape"], limit: float) -> Float[Tensor, "*shape"]:
    """Keeps `value` inside (-limit, limit), the identity near zero and smooth everywhere.

    Bounding log-scales this way means that no exponential after it can overflow, and that
    the gradient never vanishes abruptly as it does under a hard clamp.

    Example:
        >>> smooth_bound(torch.tensor([0.0, 1e9]), limit=7.0)
        tensor([0., 7.])
    """
    return limit * torch.tanh(value / limit)


def inverse_smooth_bound(bounded: Float[Tensor, "*shape"], limit: float) -> Float[Tensor, "*shape"]:
    """The value that `smooth_bound` maps to `bounded`."""
    return limit * torch.atanh(bounded / limit)


def log_mean_exp(values: Float[Tensor, "samples *shape"]) -> Float[Tensor, "*shape"]:
    """log of the mean of exp(values) over the first dimension.

    Example:
        >>> float(log_mean_exp(torch.tensor([1000.0, 1000.0])))
        1000.0
    """
    return torch.logsumexp(values, dim=0) - math.log(values.shape[0])
