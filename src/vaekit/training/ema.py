"""Exponential moving average of the weights.

    average <- average + (1 - decay_t^n) (weights - average),    every n updates
    decay_t = min(decay, (1 + t) / (10 + t)),    n = 0.02 / (1 - decay_t), rounded, at least 1

The early, smaller decay lets the average forget the random start. An average that remembers
1 / (1 - decay) updates looks at the weights fifty times in that span: looking at each of them would
give nearly the same average, for the time of one more optimiser. Buffers, such as running
statistics of batch normalisation, are averages already and are left alone.

Reference:
    Polyak and Juditsky (1992), Acceleration of Stochastic Approximation by Averaging
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import final

import torch
from torch import Tensor, nn

# pyright: reportPrivateImportUsage=false
# What torch's own averages call: one kernel for all parameters at a time.

LOOKS_AT = 0.02
"""Share of its memory after which an average looks at the weights again."""


@final
class WeightAverage:
    """A running average of a module's parameters.

    Args:
        module: Whose parameters are averaged.
        decay: Between 0 (the average is the weights themselves) and 1.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.names, weights = zip(*module.named_parameters(), strict=True)
        self.weights = [weight.detach() for weight in weights]
        self.averages = [weight.clone() for weight in self.weights] if decay else self.weights

    def share(self, step: int) -> float:
        """Share of the weights after update number `step`, counted from zero, in the average."""
        decay = min(self.decay, (1 + step) / (10 + step))
        interval = max(1, round(LOOKS_AT / (1 - decay)))
        return 0.0 if step % interval else 1 - decay**interval

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Takes in the weights after update number `step`, counted from zero."""
        share = self.share(step)
        if share > 0 and self.decay:
            torch._foreach_lerp_(self.averages, self.weights, share)

    @torch.no_grad()
    def take_in(self, share: Tensor) -> None:
        """Takes in the weights with a share that only the device knows."""
        if not self.decay:
            return
        changes = torch._foreach_sub(self.weights, self.averages)
        torch._foreach_mul_(changes, share)
        torch._foreach_add_(self.averages, changes)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The module computes with the averages inside the block."""
        kept = [weight.clone() for weight in self.weights]
        torch._foreach_copy_(self.weights, self.averages)
        try:
            yield
        finally:
            torch._foreach_copy_(self.weights, kept)

    def state_dict(self) -> dict[str, Tensor]:
        kept = self.averages if self.decay else [weight.clone() for weight in self.weights]
        return dict(zip(self.names, kept, strict=True))

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        for name, average in zip(self.names, self.averages, strict=True):
            average.copy_(state[name])
