"""Mean and spread of the training data, as the model will see it."""

from typing import NamedTuple

from jaxtyping import Float32
from torch import Tensor

from vaekit.data.moments import moments
from vaekit.data.splits import Split
from vaekit.data.transforms import Transform


class Statistics(NamedTuple):
    """Moments of every value of the event; missing values are left out."""

    mean: Float32[Tensor, "*event"]
    std: Float32[Tensor, "*event"]


def statistics(split: Split, transform: Transform) -> Statistics:
    """Moments of the transform's expectation over a split, in one pass.

    Args:
        split: The training split.
        transform: What turns its rows into observations.
    """
    found = moments(transform.expectation(rows.x) for rows in split.blocks(4096))
    return Statistics(found.mean.float(), found.std.float())
