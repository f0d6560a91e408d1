"""Zeros and ones, by the place of each value in its range.

    p = (raw - low) / (high - low),    x = 1 with probability p

Three protocols, whose numbers must not be compared with each other:

- dynamic: coins are thrown anew at every presentation;
- static: coins are thrown once per example, and stay as they fell;
- threshold: no coins, 1 where p is above a threshold.

Reference:
    Salakhutdinov and Murray (2008), On the Quantitative Analysis of Deep Belief Networks
    (dynamic); Larochelle and Murray (2011), The Neural Autoregressive Distribution
    Estimator (static)
"""

import hashlib
from dataclasses import replace
from typing import Literal, final

import torch
from jaxtyping import Bool, Float, Shaped
from pydantic import Field
from torch import Tensor

from vaekit.data.dataset import content_bytes
from vaekit.data.splits import InMemorySplit, Split
from vaekit.data.transforms.ranges import UnitRange
from vaekit.data.transforms.transform import ConditionName, Transform, TransformChoices
from vaekit.errors import SpecError
from vaekit.numerics import generator_for
from vaekit.schema import Schema


@final
class DynamicBinarize(Transform):
    """Throws coins at every presentation."""

    protocol = "dynamic"
    is_random = True
    gives_whole_numbers = True

    def __init__(self, schema: Schema, condition: tuple[ConditionName, ...] = ()) -> None:
        super().__init__(schema, condition)
        self.probability = UnitRange(schema, "binarize")

    def draw(
        self, x: Shaped[Tensor, "rows *event"], generator: torch.Generator | None
    ) -> Float[Tensor, "rows *event"]:
        return _throw(self.probability, x, generator).float()

    def expectation(self, x: Shaped[Tensor, "rows *event"]) -> Float[Tensor, "rows *event"]:
        return self.probability(x)

    def inverse(self, x: Float[Tensor, "*rows_and_event"]) -> Float[Tensor, "*rows_and_event"]:
        return self.probability.inverse(x)


@final
class StaticBinarize(Transform):
    """Presents coins that were thrown once, by `prepare`.

    A prepared split holds booleans, which raw values never are. Raw values are refused by
    `draw`, and `expectation` (of a served request, say) takes them as grey.

    Args:
        schema: The form of raw values.
        seed: Seed of the coins.
    """

    protocol = "static"
    gives_whole_numbers = True

    def __init__(
        self, schema: Schema, seed: int, condition: tuple[ConditionName, ...] = ()
    ) -> None:
        super().__init__(schema, condition)
        self.probability, self._seed = UnitRange(schema, "binarize"), seed
        if schema.binarized_by is not None:  # each coin has one face: as it fell for them
            self.protocol = f"static ({schema.binarized_by})"
        if schema.missing == "nan":
            raise SpecError(
                "Static binarisation has no place for missing values.",
                where="transform.protocol = 'static'",
                found="data.missing = 'nan'",
                remedy="use transform.protocol = 'dynamic'",
            )

    def prepare(self, split: Split) -> Split:
        """Throws the coins of a split; a prepared split is returned as it is."""
        if not isinstance(split, InMemorySplit):
            raise SpecError(
                "Static binarisation keeps its draw in memory, but the data is streamed.",
                where="transform.protocol = 'static'",
                remedy="use protocol = 'dynamic', or write shards that are binary already",
            )
        rows = split.shard(0)
        if rows.x.dtype == torch.bool:
            return split
        # Keyed by the content: each split has coins of its own, wherever it came from.
        # Thrown on the CPU: the draw is the same whatever the device.
        content = hashlib.sha256(content_bytes(rows.x)).hexdigest()
        generator = generator_for(self._seed, "static", content)
        coins = [_throw(self.probability, block.x.cpu(), generator) for block in split.blocks(4096)]
        return InMemorySplit.of(replace(rows, x=torch.cat(coins).to(rows.x.device)))

    def draw(
        self, x: Shaped[Tensor, "rows *event"], generator: torch.Generator | None
    ) -> Float[Tensor, "rows *event"]:
        if x.dtype != torch.bool:
            raise SpecError(
                "Statically binarised values are drawn before they are presented.",
                where="transform.protocol = 'static'",
                found=f"raw values of type {x.dtype}",
                remedy="pass the split through Transform.prepare first",
            )
        return x.float()

    def expectation(self, x: Shaped[Tensor, "rows *event"]) -> Float[Tensor, "rows *event"]:
        return x.float() if x.dtype == torch.bool else self.probability(x)

    def inverse(self, x: Float[Tensor, "*rows_and_event"]) -> Float[Tensor, "*rows_and_event"]:
        return self.probability.inverse(x)


@final
class ThresholdBinarize(Transform):
    """1 where a value's place in its range is above a threshold, else 0."""

    protocol = "threshold"
    gives_whole_numbers = True

    def __init__(
        self, schema: Schema, threshold: float, condition: tuple[ConditionName, ...] = ()
    ) -> None:
        super().__init__(schema, condition)
        self.place = UnitRange(schema, "binarize")
        self._threshold = threshold

    def expectation(self, x: Shaped[Tensor, "rows *event"]) -> Float[Tensor, "rows *event"]:
        place = self.place(x)
        return (place > self._threshold).float().where(~place.isnan(), torch.nan)

    def inverse(self, x: Float[Tensor, "*rows_and_event"]) -> Float[Tensor, "*rows_and_event"]:
        return self.place.inverse(x)


@final
class BinarizeSpec(TransformChoices):
    """Choices of zeros and ones."""

    kind: Literal["binarize"] = "binarize"
    protocol: Literal["dynamic", "static", "threshold"] = Field(
        default="dynamic", description="When coins are thrown, if at all."
    )
    threshold: float = Field(
        default=0.5, ge=0, lt=1, description="Place in the range above which 'threshold' gives 1."
    )
    seed: int = Field(default=0, description="Seed of the coins that 'static' throws.")

    def unfitted(self, schema: Schema) -> Transform:
        if schema.binarized_by is not None and self.protocol != "static":
            raise SpecError(
                f"The coins of {schema.name} have been thrown, once, by {schema.binarized_by}.",
                where=f"transform.protocol = {self.protocol!r}",
                expected="transform.protocol = 'static'",
                remedy="set it, or draw anew from data.kind = 'mnist'",
            )
        if self.protocol == "threshold":
            return ThresholdBinarize(schema, self.threshold, self.condition)
        if self.protocol == "static":
            return StaticBinarize(schema, self.seed, self.condition)
        return DynamicBinarize(schema, self.condition)


def _throw(
    probability: UnitRange, x: Shaped[Tensor, "rows *event"], generator: torch.Generator | None
) -> Bool[Tensor, "rows *event"]:
    if probability.is_whole_byte:
        # Of the 255 integers 0, ..., 254 exactly x are below x, so a uniform one falls below
        # x with probability x / 255: no floating-point number is needed, nor its memory.
        below = torch.randint(
            0, 255, x.shape, generator=generator, device=x.device, dtype=torch.uint8
        )
        return below < x
    return torch.rand(x.shape, generator=generator, device=x.device) < probability(x)
