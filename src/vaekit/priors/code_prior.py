"""What every prior over sequences of discrete codes promises.

p(k_1, ..., k_P) = prod_i p(k_i | k_1, ..., k_{i-1}),    each k_i one of `classes`
"""

from abc import ABC, abstractmethod
from typing import Final

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from vaekit.numerics import at_least_float32

SMALLEST_TEMPERATURE: Final = 1e-30
"""Where every code but the most probable one has lost its probability, in float64."""


class CodePrior(nn.Module, ABC):
    """p(k), one conditional distribution per position.

    Args:
        positions: Codes per example.
        classes: Values of one code.
    """

    def __init__(self, positions: int, classes: int) -> None:
        super().__init__()
        self.positions, self.classes = positions, classes

    @abstractmethod
    def logits(
        self, codes: Int64[Tensor, "*lead positions"]
    ) -> Float[Tensor, "*lead positions classes"]:
        """Of every position, given the codes before it; later ones have no influence."""

    def log_prob(self, codes: Int64[Tensor, "*lead positions"]) -> Float[Tensor, "*lead"]:
        """log p(k) in nats."""
        log_probs = at_least_float32(self.logits(codes)).log_softmax(-1)
        return log_probs.gather(-1, codes.unsqueeze(-1)).squeeze(-1).sum(-1)

    @torch.no_grad()
    def from_noise(
        self, noise: Float[Tensor, "n positions"], temperature: float | Tensor = 1.0
    ) -> Int64[Tensor, "n positions"]:
        """The codes that uniform `noise` becomes, drawn one after the other.

        Args:
            noise: Between 0 and 1.
            temperature: Divides the logits; at 0 every code is the most probable one.
        """
        codes = torch.zeros(noise.shape, dtype=torch.int64, device=noise.device)
        if isinstance(temperature, Tensor):  # of an exported graph, which cannot branch at zero
            temperature = temperature.double().clamp_min(SMALLEST_TEMPERATURE)
        for position in range(self.positions):
            logits = at_least_float32(self.logits(codes))[:, position]
            if not isinstance(temperature, Tensor) and temperature == 0:
                codes[:, position] = logits.argmax(-1)
                continue
            below = (logits.double() / temperature).softmax(-1).cumsum(-1)
            drawn = (below <= noise[:, position, None]).sum(-1)
            codes[:, position] = drawn.clamp_max(self.classes - 1)  # where the sum rounds below 1
        return codes
