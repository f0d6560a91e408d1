"""Whether samples are copies of training examples, by whom they are nearest to.

Pool the training examples with examples that the model has never seen, and find the nearest
neighbour of every sample in the pool. A model that has learned the distribution and not the
examples is as near to the ones as to the others, so that the neighbour is a training example as
often as one of the pool is. What is reported is the share had both sets one size:

    even share = a / (a + b),    a = share / train,    b = (1 - share) / held out

A half where samples do not know the training examples, 1 where each of them lies nearest to one.
Blur does not move it: a soft sample is as soft to both. The p-value comes from changing at random
which of the pool counts as training, and holds however alike samples are: many neighbours of one
example of the pool count once.

References, of the same comparison with other statistics:
    Meehan, Chaudhuri and Dasgupta (2020), A Non-Parametric Test to Detect Data-Copying in
    Generative Models, https://arxiv.org/abs/2004.05675
    van den Burg and Williams (2021), On Memorization in Probabilistic Deep Generative Models,
    https://arxiv.org/abs/2106.03216
"""

from typing import Final, NamedTuple

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from vaekit.numerics import generator_for

PERMUTATIONS: Final = 999


class Copying(NamedTuple):
    """What the neighbours say."""

    even_share: float
    """0.5 where training examples are no nearer than others, 1 where they always are."""
    share: float
    """Of samples whose nearest neighbour is a training example."""
    expected: float
    """What that is by chance."""
    p_value: float
    nearest: Int64[Tensor, " samples"]
    """Number of the nearest training example of each sample."""
    distances: Float[Tensor, "samples two"]
    """To the nearest training and the nearest held-out example."""


def copying(
    samples: Float[Tensor, "samples values"],
    train: Float[Tensor, "train values"],
    held_out: Float[Tensor, "others values"],
    seed: int = 0,
) -> Copying:
    """Compares whom samples are nearest to.

    Args:
        samples: What a model made up.
        train: What it was trained on.
        held_out: What it was not.
        seed: Of the permutations.

    Example:
        >>> train, others = torch.zeros(3, 2), torch.ones(3, 2)
        >>> copying(torch.zeros(4, 2), train, others).even_share
        1.0
    """
    near, which = _nearest(samples, train)
    other, place = _nearest(samples, held_out)
    is_train, pool = near < other, len(train) + len(held_out)
    share, expected = float(is_train.double().mean()), len(train) / pool
    chosen = torch.where(is_train, which, len(train) + place)
    counts = torch.bincount(chosen, minlength=pool).double()
    p_value = _p_value(counts, int(is_train.sum()), len(train), seed)
    a, b = share / len(train), (1 - share) / len(held_out)
    distances = torch.stack([near, other], dim=1)
    return Copying(a / (a + b), share, expected, p_value, which, distances)


def _p_value(counts: Float64[Tensor, " pool"], wins: int, train: int, seed: int) -> float:
    """How often so many samples would be nearest to `train` of the pool, were those any.

    Args:
        counts: How many samples each of the pool is nearest to.
        wins: How many are nearest to a training example.
        train: Training examples in the pool.
        seed: Of the permutations.
    """
    source = generator_for(seed, "which of the pool counts as training")
    used = counts[counts > 0]
    at_least = 0
    for _ in range(PERMUTATIONS):
        places = torch.randperm(len(counts), generator=source)[: len(used)]
        at_least += float(used[places < train].sum()) >= wins
    return (1 + at_least) / (1 + PERMUTATIONS)


def _nearest(
    points: Float[Tensor, "m values"], others: Float[Tensor, "n values"], rows: int = 4096
) -> tuple[Float[Tensor, " m"], Int64[Tensor, " m"]]:
    """Distance and number of the nearest of the others."""
    best = torch.full((len(points),), torch.inf, dtype=points.dtype)
    which = torch.zeros(len(points), dtype=torch.int64)
    for start in range(0, len(others), rows):
        block = torch.cdist(points, others[start : start + rows])
        distance, place = block.min(1)
        which = torch.where(distance < best, place + start, which)
        best = torch.minimum(distance, best)
    return best, which
