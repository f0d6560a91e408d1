"""The way in: from an observation to the numbers a posterior is made of."""

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaekit.data import Observation, Statistics
from vaekit.errors import SpecError
from vaekit.numerics import at_least_float32


def needed(
    c: Float[Tensor, "batch conditions"] | None, size: int
) -> Float[Tensor, "batch conditions"]:
    """The condition of a batch.

    Raises:
        SpecError: It is missing, or of another size.
    """
    if c is None or c.shape[-1] != size:
        raise SpecError(
            "The model needs to know what its examples are conditioned on.",
            where="c",
            expected=f"{size} numbers for each example",
            found="nothing" if c is None else f"{c.shape[-1]} numbers",
            remedy="pass c, as the transform gives it",
        )
    return c


@final
class Encoder(nn.Module):
    """Centres an observation and runs the encoder network on it.

    The network sees (x - mean) / spread, where `mean` is per value and `spread` is one number
    for all values. A value that was not observed enters as its mean, that is as zero. Under a
    condition c, a learned linear map of c is added to that: whatever the network, it sees c, and
    with zero weights it sees what it would see without.

    Args:
        network: From examples to parameters of the posterior.
        statistics: Mean and standard deviation of the training data, and the size of c.
    """

    mean: Tensor
    spread: Tensor
    condition: nn.Linear | None

    def __init__(self, network: nn.Module, statistics: Statistics) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", statistics.mean.clone())
        self.register_buffer("spread", statistics.spread)
        size, values = statistics.num_conditions, statistics.mean.numel()
        self.condition = nn.Linear(size, values, bias=False) if size else None

    def forward(self, observation: Observation) -> Float[Tensor, "batch features"]:
        return at_least_float32(self.network(self.centred(observation)))

    def centred(self, observation: Observation) -> Float[Tensor, "batch *event"]:
        """What the network sees."""
        centred = (observation.x - self.mean) / self.spread
        if observation.mask is not None:
            centred = torch.where(observation.mask, centred, 0.0)
        if self.condition is not None:
            told = self.condition(needed(observation.c, self.condition.in_features))
            centred = centred + at_least_float32(told).reshape(centred.shape)
        return centred
