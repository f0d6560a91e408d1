"""What transforms need to know of the range of raw values."""

from typing import NoReturn, final

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from vaekit.errors import SpecError
from vaekit.schema import Schema

MOST_LEVELS = 65536


@final
class UnitRange:
    """Maps [low, high] to [0, 1].

    Args:
        schema: The form of raw values.
        kind: Kind of the transform that asks, for messages.
    """

    def __init__(self, schema: Schema, kind: str) -> None:
        self.low, self.high = bounds_of(schema, kind)
        self.is_whole_byte = schema.dtype == "uint8" and (self.low, self.high) == (0, 255)

    def __call__(self, x: Shaped[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        return ((widened(x) - self.low) / (self.high - self.low)).float()

    def inverse(self, x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """Raw units of values in [0, 1]."""
        return x * (self.high - self.low) + self.low


def widened(x: Shaped[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """`x` as float32, or as float64 where it came in float64."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def bounds_of(schema: Schema, kind: str) -> tuple[float, float]:
    """The range of raw values.

    Raises:
        SpecError: Where a side is unbounded.
    """
    if schema.low is None or schema.high is None:
        _refuse(
            schema,
            kind,
            needs="raw values with a smallest and a largest value",
            remedy="state data.low and data.high, or use transform.kind = 'standardize'",
        )
    return schema.low, schema.high


def levels_of(schema: Schema, kind: str) -> tuple[int, int]:
    """The smallest raw value and the number of different ones.

    Raises:
        SpecError: Where raw values are not bounded integers, or have too many levels.
    """
    low, high = bounds_of(schema, kind)
    levels = int(high - low) + 1
    if schema.is_float or levels > MOST_LEVELS:
        _refuse(
            schema,
            kind,
            needs=f"whole numbers with at most {MOST_LEVELS} levels",
            remedy="store whole numbers in an integer type, or use transform.kind = 'standardize'",
        )
    return int(low), levels


def _refuse(schema: Schema, kind: str, needs: str, remedy: str) -> NoReturn:
    raise SpecError(
        f"The transform {kind!r} cannot be used on {schema.name}.",
        where=f"transform.kind = {kind!r}",
        expected=needs,
        found=f"{schema.dtype} values, low = {schema.low}, high = {schema.high}",
        remedy=remedy,
    )
