"""Exponential moving average of the weights.

    average <- average + (1 - decay_t) (weights - average)
    decay_t = min(decay, (1 + t) / (10 + t))

The early, smaller decay lets the average forget the random start. Buffers, such as running
statistics of batch normalisation, are averages already and are left alone.

Reference:
    Polyak and Juditsky (1992), Acceleration of Stochastic Approximation by Averaging
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import final

import torch
from torch import Tensor, nn


@final
class WeightAverage:
    """A running average of a module's parameters.

    Args:
        module: Whose parameters are averaged.
        decay: Between 0 (the average is the last weights) and 1.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.names, weights = zip(*module.named_parameters(), strict=True)
        self.weights = [weight.detach() for weight in weights]
        self.averages = [weight.clone() for weight in self.weights]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Takes in the weights after update number `step`, counted from zero."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self.averages, self.weights, 1 - decay)  # pyright: ignore[reportPrivateImportUsage]

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The module computes with the averages inside the block."""
        kept = [weight.clone() for weight in self.weights]
        torch._foreach_copy_(self.weights, self.averages)  # pyright: ignore[reportPrivateImportUsage]
        try:
            yield
        finally:
            torch._foreach_copy_(self.weights, kept)  # pyright: ignore[reportPrivateImportUsage]

    def state_dict(self) -> dict[str, Tensor]:
        return dict(zip(self.names, self.averages, strict=True))

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        for name, average in zip(self.names, self.averages, strict=True):
            average.copy_(state[name])
