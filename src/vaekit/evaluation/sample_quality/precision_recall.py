"""Precision and recall of samples: are they like data, and is all of the data like some?

The region of a set is the union of balls around its points, each of which reaches to the third
nearest neighbour of its centre in that set.

    precision = share of samples in the region of the data
    recall    = share of the data in the region of the samples

Reference:
    Kynkaanniemi, Karras, Laine, Lehtinen and Aila (2019), Improved Precision and Recall Metric
    for Assessing Generative Models, eq. 1-3, https://arxiv.org/abs/1904.06991
"""

from collections.abc import Iterator
from typing import Final

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from vaekit.errors import DataError

NEIGHBOURS: Final = 3
_PAIRS_AT_A_TIME: Final = 2**22


def precision_recall(
    data: Float[Tensor, "m features"],
    samples: Float[Tensor, "n features"],
    neighbours: int = NEIGHBOURS,
) -> tuple[float, float]:
    """Precision and recall, each from 0 to 1.

    Args:
        data: Features of real examples.
        samples: Features of generated ones.
        neighbours: Which nearest neighbour a ball reaches to.
    """
    if neighbours < 1 or min(len(data), len(samples)) <= neighbours:
        raise DataError(
            "There are too few points to have that many neighbours.",
            expected=f"more than {neighbours} points in each set, and one neighbour or more",
            found=f"{len(data)} and {len(samples)} points",
        )
    data, samples = data.double(), samples.double()
    precision = _share_within(samples, data, _reach(data, neighbours))
    return precision, _share_within(data, samples, _reach(samples, neighbours))


def _reach(points: Float64[Tensor, "n features"], neighbours: int) -> Float64[Tensor, " n"]:
    """Squared distance of each point's nearest neighbour of that number."""
    found, start = [], 0
    for block in _squared_distances(points, points):
        own = torch.arange(len(block), device=block.device)
        block[own, start + own] = torch.inf  # nobody is a neighbour of its own
        found.append(block.kthvalue(neighbours, dim=1).values)
        start += len(block)
    return torch.cat(found)


def _share_within(
    points: Float64[Tensor, "m features"],
    centres: Float64[Tensor, "n features"],
    reach: Float64[Tensor, " n"],
) -> float:
    """Share of the points that lie in the ball of at least one centre."""
    inside = [(block <= reach).any(1) for block in _squared_distances(points, centres)]
    return torch.cat(inside).double().mean().item()


def _squared_distances(
    a: Float64[Tensor, "m features"], b: Float64[Tensor, "n features"]
) -> Iterator[Float64[Tensor, "block n"]]:
    """Of every pair, so many rows at a time."""
    rows, lengths = max(1, _PAIRS_AT_A_TIME // len(b)), b.square().sum(1)
    for start in range(0, len(a), rows):
        some = a[start : start + rows]
        squares = some.square().sum(1, keepdim=True) + lengths - 2 * some @ b.T
        yield squares.clamp_(min=0)
