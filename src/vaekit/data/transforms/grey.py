"""Values scaled to [0, 1], with nothing drawn.

    x = (raw - low) / (high - low)

Grey values are not the outcome of coins: under a Bernoulli likelihood they give a
cross-entropy, which is no likelihood. Numbers say so by the protocol "none".
"""

from typing import Literal, final

from jaxtyping import Float, Shaped
from torch import Tensor

from vaekit.data.transforms.ranges import UnitRange
from vaekit.data.transforms.transform import ConditionName, Transform, TransformChoices
from vaekit.schema import Schema


@final
class Grey(Transform):
    """Scales the range of raw values to [0, 1]."""

    protocol = "none"

    def __init__(self, schema: Schema, condition: tuple[ConditionName, ...] = ()) -> None:
        super().__init__(schema, condition)
        self.range = UnitRange(schema, "grey")

    def expectation(self, x: Shaped[Tensor, "rows *event"]) -> Float[Tensor, "rows *event"]:
        return self.range(x)

    def inverse(self, x: Float[Tensor, "*rows_and_event"]) -> Float[Tensor, "*rows_and_event"]:
        return self.range.inverse(x)


@final
class GreySpec(TransformChoices):
    """Choices of grey values: none."""

    kind: Literal["grey"] = "grey"

    def unfitted(self, schema: Schema) -> Grey:
        return Grey(schema, self.condition)
