"""Whole numbers 0, ..., levels - 1, for likelihoods that give each of them a probability.

    x = floor((raw - low) / width),    width = raw_levels / levels

With as many levels as there are raw values, x is raw - low. With fewer, `width` neighbours
share a level, equally many for every level.
"""

from typing import Literal, final

from jaxtyping import Float, Shaped
from pydantic import Field
from torch import Tensor

from vaekit.data.transforms.ranges import levels_of
from vaekit.data.transforms.transform import ConditionName, Transform, TransformChoices
from vaekit.errors import SpecError
from vaekit.schema import Schema


@final
class Integers(Transform):
    """Numbers raw values from 0, in `levels` levels.

    Args:
        schema: The form of raw values.
        levels: Number of levels; as many as there are raw values where not given.
    """

    protocol = "integers"
    gives_whole_numbers = True

    def __init__(
        self, schema: Schema, levels: int | None, condition: tuple[ConditionName, ...] = ()
    ) -> None:
        super().__init__(schema, condition)
        self._low, raw_levels = levels_of(schema, "integers")
        self.levels = raw_levels if levels is None else levels
        self._width, unshared = divmod(raw_levels, self.levels)
        if unshared > 0:
            raise SpecError(
                "Raw values cannot be shared out evenly among the levels.",
                where="transform.levels",
                expected=f"a divisor of {raw_levels}, the number of raw values",
                found=levels,
                remedy="leave transform.levels out to keep every raw value",
            )

    def expectation(self, x: Shaped[Tensor, "rows *event"]) -> Float[Tensor, "rows *event"]:
        return ((x.long() - self._low) // self._width).float()

    def inverse(self, x: Float[Tensor, "*rows_and_event"]) -> Float[Tensor, "*rows_and_event"]:
        """The middle of the raw values that share a level."""
        return x * self._width + (self._width - 1) / 2 + self._low


@final
class IntegersSpec(TransformChoices):
    """Choices of whole numbers."""

    kind: Literal["integers"] = "integers"
    levels: int | None = Field(
        default=None, ge=2, description="Number of levels; by default one for every raw value."
    )

    def unfitted(self, schema: Schema) -> Integers:
        return Integers(schema, self.levels, self.condition)
