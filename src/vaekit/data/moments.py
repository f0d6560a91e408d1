"""Mean and spread of values that come in blocks and may have gaps.

Blocks are merged without a sum of squares, so nothing cancels.

Reference:
    Chan, Golub and LeVeque (1979), Updating Formulae and a Pairwise Algorithm for
    Computing Sample Variances
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import final

import torch
from jaxtyping import Float64, Shaped
from torch import Tensor


@final
@dataclass(frozen=True)
class Moments:
    """What was seen of every value of the event."""

    count: Float64[Tensor, "*event"]
    mean: Float64[Tensor, "*event"]
    """0 where nothing was seen."""
    squares: Float64[Tensor, "*event"]
    """Sum of squared deviations from the mean."""
    low: Float64[Tensor, "*event"]
    high: Float64[Tensor, "*event"]

    @property
    def std(self) -> Float64[Tensor, "*event"]:
        """Standard deviation (by 1/n); exactly 0 for a value that never changes."""
        # Rounding leaves a constant a spread of about 1e-17, which standardising would
        # blow up: comparing the extremes does not round.
        spread = (self.squares / self.count.clamp(min=1)).sqrt()
        return spread.where(self.low < self.high, 0.0)


def moments(blocks: Iterable[Shaped[Tensor, "_ *event"]]) -> Moments:
    """Moments over all rows of all blocks, in float64; NaN counts as not seen."""
    return reduce(_merge, map(_moments_of, blocks))


def _moments_of(block: Shaped[Tensor, "rows *event"]) -> Moments:
    x = block.cpu().double()
    seen = ~x.isnan()
    count = seen.double().sum(dim=0)
    mean = x.where(seen, 0.0).sum(dim=0) / count.clamp(min=1)
    return Moments(
        count=count,
        mean=mean,
        squares=((x - mean) ** 2).where(seen, 0.0).sum(dim=0),
        low=x.where(seen, torch.inf).amin(dim=0),
        high=x.where(seen, -torch.inf).amax(dim=0),
    )


def _merge(left: Moments, right: Moments) -> Moments:
    count = left.count + right.count
    share = right.count / count.clamp(min=1)
    shift = right.mean - left.mean
    return Moments(
        count=count,
        mean=left.mean + shift * share,
        squares=left.squares + right.squares + shift**2 * left.count * share,
        low=torch.minimum(left.low, right.low),
        high=torch.maximum(left.high, right.high),
    )
