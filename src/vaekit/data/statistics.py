"""What a model is built around: moments of the training data, as the model will see it."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import torch
from jaxtyping import Float32
from torch import Tensor

from vaekit.data.moments import moments
from vaekit.data.splits import Split
from vaekit.data.transforms import Transform

ROWS_AT_A_TIME: Final = 4096
MOST_EXAMPLES: Final = 1000


class Statistics(NamedTuple):
    """Moments of every value of the event, missing values left out, and what else models need."""

    mean: Float32[Tensor, "*event"]
    std: Float32[Tensor, "*event"]
    num_conditions: int = 0
    """How many numbers an example is conditioned on."""
    examples: Float32[Tensor, "some *event"] | None = None
    """Some training examples, evenly spread over the split, with the mean where a value is missing;
    all where there are few."""
    num_examples: int = 0
    """How many training examples there are."""

    @property
    def spread(self) -> Float32[Tensor, ""]:
        """One standard deviation for all values; one, where they do not vary."""
        spread = self.std.square().mean().sqrt()
        return torch.where(spread > 0, spread, torch.ones_like(spread))


def statistics(
    split: Split, transform: Transform, most_examples: int = MOST_EXAMPLES
) -> Statistics:
    """Moments of the transform's expectation over a split, in one pass.

    Args:
        split: The training split.
        transform: What turns its rows into observations.
        most_examples: How many are kept.
    """
    wanted = torch.linspace(0, len(split) - 1, min(len(split), most_examples)).round().long()
    kept: list[Tensor] = []

    def shown() -> Iterator[Tensor]:
        first = 0
        for rows in split.blocks(ROWS_AT_A_TIME):
            x = transform.expectation(rows.x)
            here = wanted[(wanted >= first) & (wanted < first + len(rows))] - first
            kept.append(x[here.to(x.device)].float())
            first += len(rows)
            yield x

    found = moments(shown())
    mean, examples = found.mean.float(), torch.cat(kept)
    return Statistics(
        mean,
        found.std.float(),
        transform.num_conditions,
        torch.where(examples.isnan(), mean, examples),
        len(split),
    )
