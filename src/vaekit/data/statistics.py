"""What a model is built around: moments of the training data, as the model will see it."""

from typing import NamedTuple

from jaxtyping import Float32
from torch import Tensor

from vaekit.data.moments import moments
from vaekit.data.splits import Split
from vaekit.data.transforms import Transform


class Statistics(NamedTuple):
    """Moments of every value of the event, missing values left out, and the size of c."""

    mean: Float32[Tensor, "*event"]
    std: Float32[Tensor, "*event"]
    num_conditions: int = 0
    """How many numbers an example is conditioned on."""


def statistics(split: Split, transform: Transform) -> Statistics:
    """Moments of the transform's expectation over a split, in one pass.

    Args:
        split: The training split.
        transform: What turns its rows into observations.
    """
    found = moments(transform.expectation(rows.x) for rows in split.blocks(4096))
    return Statistics(found.mean.float(), found.std.float(), transform.num_conditions)
