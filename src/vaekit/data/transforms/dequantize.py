"""Integers made continuous by uniform noise, for densities.

    x = (raw - low + u) / levels,    u ~ Uniform(0, 1),    x in (0, 1)

The log-density of x, averaged over u and less log(levels) per value, bounds the
log-probability of the integers from below.

Reference:
    Theis, van den Oord and Bethge (2016), A note on the evaluation of generative models,
    https://arxiv.org/abs/1511.01844
"""

from typing import Literal, final

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from vaekit.data.transforms.ranges import levels_of
from vaekit.data.transforms.transform import ConditionName, Transform, TransformChoices
from vaekit.schema import Schema

RESOLUTION = 2.0**-24  # the largest float32 below 1 is 1 - RESOLUTION


@final
class Dequantize(Transform):
    """Adds uniform noise to integers and scales them to (0, 1)."""

    protocol = "dequantized"
    is_random = True

    def __init__(self, schema: Schema, condition: tuple[ConditionName, ...] = ()) -> None:
        super().__init__(schema, condition)
        self._low, self.levels = levels_of(schema, "dequantize")

    def draw(
        self, x: Shaped[Tensor, "rows *event"], generator: torch.Generator | None
    ) -> Float[Tensor, "rows *event"]:
        noise = torch.rand(x.shape, generator=generator, device=x.device)
        # rand can be 0, and a large level plus noise can round up to the next level: the
        # clamp keeps both ends out.
        return ((x.long() - self._low + noise) / self.levels).clamp(RESOLUTION, 1 - RESOLUTION)

    def expectation(self, x: Shaped[Tensor, "rows *event"]) -> Float[Tensor, "rows *event"]:
        return (x.long() - self._low + 0.5) / self.levels

    def inverse(self, x: Float[Tensor, "*rows_and_event"]) -> Float[Tensor, "*rows_and_event"]:
        return x * self.levels + self._low - 0.5


@final
class DequantizeSpec(TransformChoices):
    """Choices of dequantisation: none."""

    kind: Literal["dequantize"] = "dequantize"

    def unfitted(self, schema: Schema) -> Dequantize:
        return Dequantize(schema, self.condition)
