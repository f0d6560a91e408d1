"""What the posteriors of a whole split say together: active units, and where the KL goes.

With q(z) = 1/N sum_n q(z | x_n), the average KL has two parts:

    1/N sum_n KL(q(z | x_n) || p(z)) = I(n; z) + KL(q(z) || p(z))

The mutual information between an example's number and its code says how much is coded; it
cannot exceed ln N. The KL of the aggregate says how far codes are from the prior they will be
sampled from. A latent dimension is active where the posterior mean varies over the data:
Var_n(E_q[z_i | x_n]) above a threshold.

References:
    Hoffman and Johnson (2016), ELBO surgery: yet another way to carve up the variational
    evidence lower bound (NIPS workshop)
    Burda, Grosse and Salakhutdinov (2015), Importance Weighted Autoencoders, appendix C
    (active units, threshold 0.01), https://arxiv.org/abs/1509.00519
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, final

import torch
from jaxtyping import Float64
from torch import Tensor
from torch.distributions import Distribution, Independent

from vaekit.data import Observation
from vaekit.distributions import Gaussian
from vaekit.distributions import moments as moments_of
from vaekit.evaluation.memory import chunks, rows_within
from vaekit.models import Model
from vaekit.numerics import generator_for

THRESHOLDS: Final = (0.001, 0.003, 0.01, 0.03, 0.1)
ACTIVE: Final = 0.01
_PAIRS_AT_A_TIME: Final = 2**22
_LOST: Final = 1e-6


@final
@dataclass(frozen=True)
class Moments:
    """Means and standard deviations of q(z | x), of one stochastic layer.

    Args:
        mean: Posterior means; of a lower layer, given the means of the layers above.
        stddev: Posterior standard deviations.
        is_diagonal_gaussian: Whether q(z | x) is known by these.
    """

    mean: Float64[Tensor, "examples latent"]
    stddev: Float64[Tensor, "examples latent"]
    is_diagonal_gaussian: bool = True


@torch.no_grad()
def posterior_moments(model: Model, observations: Iterable[Observation]) -> list[Moments]:
    """Moments of the posterior of every example, per layer from the top.

    Empty where a layer has none in closed form, as a flow.
    """
    layers: dict[int, list[Moments]] = {}
    for shown in _fitting(model, observations):
        for number, factor in enumerate(model.infer_at_mean(shown).posterior):
            found = _moments(factor, len(shown))
            if found is None:
                return []
            layers.setdefault(number, []).append(found)
    return [_joined(blocks) for blocks in layers.values()]


def _moments(factor: Distribution, examples: int) -> Moments | None:
    found = moments_of(factor)
    if found is None:
        return None
    # A layer below others has a sample dimension, of one.
    mean, stddev = (part.double().reshape(examples, -1) for part in found)
    splits = isinstance(factor, Independent) and isinstance(factor.base_dist, Gaussian)
    return Moments(mean, stddev, splits)


def _joined(blocks: list[Moments]) -> Moments:
    return Moments(
        torch.cat([block.mean for block in blocks]),
        torch.cat([block.stddev for block in blocks]),
        blocks[0].is_diagonal_gaussian,
    )


def _fitting(model: Model, observations: Iterable[Observation]) -> Iterator[Observation]:
    """So many examples at a time that decoding them fits the budget."""
    rows = 0
    for block in observations:
        rows = rows or rows_within(model, block)
        yield from chunks(block, rows)


def pooled_code(moments: Iterable[Moments]) -> tuple[float, float]:
    """Mean and standard deviation of draws of q(z), all dimensions of all layers together.

    What generates codes, as a diffusion model does, is shown z divided by that deviation.
    """
    layers = list(moments)
    mean = torch.cat([layer.mean.flatten() for layer in layers])
    variance = torch.cat([layer.stddev.flatten() for layer in layers]).square().mean()
    return mean.mean().item(), (mean.var(unbiased=False) + variance).sqrt().item()


def active_units(moments: Iterable[Moments], threshold: float) -> int:
    """Latent dimensions, of all layers, whose posterior mean has a variance above `threshold`.

    The variance is over examples, by 1/N.
    """
    return sum(
        int((layer.mean.var(dim=0, correction=0) > threshold).sum().item()) for layer in moments
    )


@torch.no_grad()
def mutual_information(moments: Moments, seed: int) -> float:
    """I(n; z) in nats, for diagonal Gaussian posteriors; one z is drawn for each example.

    Args:
        moments: Of every example, in one layer.
        seed: Seed of the draws.
    """
    mean, stddev = moments.mean, moments.stddev
    noise = torch.randn(mean.shape, generator=generator_for(seed, "aggregate"), dtype=mean.dtype)
    z = mean + stddev * noise.to(mean.device)
    # log q(z | x_m), up to a constant.
    precision, offset = stddev.pow(-2), -stddev.log().sum(1)
    rows = max(1, _PAIRS_AT_A_TIME // len(mean))
    gaps = []
    for start in range(0, len(z), rows):
        at = z[start : start + rows]
        log_q = offset - 0.5 * _squares(at, mean, precision)
        own = log_q[:, start : start + len(at)].diagonal()
        gaps.append(own - log_q.logsumexp(1))
    # The average over m has the factor 1/N.
    return torch.cat(gaps).mean().item() + math.log(len(z))


def _squares(
    at: Float64[Tensor, "some latent"],
    mean: Float64[Tensor, "examples latent"],
    precision: Float64[Tensor, "examples latent"],
) -> Float64[Tensor, "some examples"]:
    """sum_j precision_j (at_j - mean_j)^2 of every pair.

    Multiplied out it is one matrix product, unless the terms are so large that their difference
    would be lost: a posterior of scale 1e-7 has precisions of 1e14.
    """
    largest = max(mean.abs().max().item(), at.abs().max().item()) ** 2 * precision.max().item()
    if largest * torch.finfo(mean.dtype).eps < _LOST:
        weights = torch.cat([precision, -2 * mean * precision], dim=1)
        return torch.cat([at.square(), at], dim=1) @ weights.T + (mean.square() * precision).sum(1)
    total = torch.zeros(len(at), len(mean), dtype=mean.dtype, device=mean.device)
    for one, centres, sharp in zip(at.T, mean.T, precision.T, strict=True):
        total += (one[:, None] - centres).square() * sharp
    return total
