"""The way in: from an observation to the numbers a posterior is made of."""

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaekit.data import Observation, Statistics
from vaekit.numerics import at_least_float32


@final
class Encoder(nn.Module):
    """Centres an observation and runs the encoder network on it.

    The network sees (x - mean) / spread, where `mean` is per value and `spread` is one number
    for all values. A value that was not observed enters as its mean, that is as zero.

    Args:
        network: From examples to parameters of the posterior.
        statistics: Mean and standard deviation of the training data.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, network: nn.Module, statistics: Statistics) -> None:
        super().__init__()
        self.network = network
        spread = statistics.std.square().mean().sqrt()
        self.register_buffer("mean", statistics.mean.clone())
        self.register_buffer("spread", torch.where(spread > 0, spread, torch.ones_like(spread)))

    def forward(self, observation: Observation) -> Float[Tensor, "batch features"]:
        return at_least_float32(self.network(self.centred(observation)))

    def centred(self, observation: Observation) -> Float[Tensor, "batch *event"]:
        """What the network sees."""
        centred = (observation.x - self.mean) / self.spread
        if observation.mask is not None:
            centred = torch.where(observation.mask, centred, 0.0)
        return centred
