"""What every transform promises: raw values in, what the likelihood scores out, and back.

A transform is a module without parameters. What it learns from the training split is in
buffers, which are saved with the model; everything else follows from its spec and the schema,
which are saved too: serving cannot disagree with training. It acts on whole batches, on the
device the rows are on.
"""

from abc import ABC, abstractmethod
from typing import TypeAlias

import torch
from jaxtyping import Float, Shaped
from pydantic import Field, field_validator
from torch import Tensor, nn

from vaekit.condition import Condition
from vaekit.data.dataset import Dataset
from vaekit.data.observation import Observation
from vaekit.data.splits import Rows, Split
from vaekit.data.transforms.conditioning import Conditioning
from vaekit.schema import Schema
from vaekit.spec import Spec

ConditionName: TypeAlias = str


class Transform(nn.Module, ABC):
    """Turns raw rows into observations.

    Args:
        schema: The form of raw values.
        condition: What observations say beside their values.
    """

    protocol: str
    """What is printed beside numbers that were computed with it."""
    is_random: bool = False
    """Whether two presentations of a row can differ."""
    gives_whole_numbers: bool = False
    """Whether presented values are whole, so that a likelihood can give them probabilities."""

    def __init__(self, schema: Schema, condition: tuple[ConditionName, ...] = ()) -> None:
        super().__init__()
        self._marks_missing = schema.missing == "nan"
        self.conditioning = Conditioning(schema, condition)

    @abstractmethod
    def expectation(self, x: Shaped[Tensor, "rows *event"]) -> Float[Tensor, "rows *event"]:
        """The mean over presentations of raw values; NaN stays NaN."""

    @abstractmethod
    def inverse(self, x: Float[Tensor, "*rows_and_event"]) -> Float[Tensor, "*rows_and_event"]:
        """Raw units, as floating-point numbers, of transformed values."""

    def draw(
        self, x: Shaped[Tensor, "rows *event"], generator: torch.Generator | None
    ) -> Float[Tensor, "rows *event"]:
        """One presentation of raw values; where nothing is random, their expectation."""
        return self.expectation(x)

    def fit(self, split: Split) -> None:
        """Learns from the training split what there is to learn."""
        self.conditioning.fit(split)

    def prepare(self, split: Split) -> Split:
        """What is done to a split once, before it is presented: by default nothing."""
        return split

    def forward(self, rows: Rows, generator: torch.Generator | None = None) -> Observation:
        """One presentation of `rows`.

        Args:
            rows: Raw values.
            generator: Source of all noise, on the device of the rows; that device's default
                generator where none is given.
        """
        return self._observation(self.draw(rows.x, generator), rows)

    def expected(
        self, rows: Rows, c: Float[Tensor, "rows conditions"] | None = None
    ) -> Observation:
        """The mean over presentations of `rows`: what a served model is shown.

        Args:
            rows: Raw values.
            c: Their conditions, where the rows do not tell.
        """
        return self._observation(self.expectation(rows.x), rows, c)

    def _observation(self, x: Tensor, rows: Rows, c: Tensor | None = None) -> Observation:
        c = self.conditioning(rows) if c is None else c
        if not self._marks_missing:
            return Observation(x, c)
        seen = ~rows.x.isnan()
        return Observation(x.where(seen, 0.0), c, mask=seen)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What observations say beside their values."""
        return self.conditioning.described

    @property
    def num_conditions(self) -> int:
        """How many numbers c has for each example."""
        return self.conditioning.width

    def every_condition(self, n: int) -> Float[Tensor, "n conditions"] | None:
        """n rows of c that go through all conditions in turn, for pictures; on the CPU."""
        return self.conditioning.in_turn(n)


class TransformChoices(Spec, ABC):
    """What the specs of transforms have in common."""

    condition: tuple[ConditionName, ...] = Field(
        default=(),
        description="What the model is told beside the values, which makes it conditional: "
        "'label', and names of attributes.",
    )

    @field_validator("condition")
    @classmethod
    def _says_nothing_twice(cls, names: tuple[ConditionName, ...]) -> tuple[ConditionName, ...]:
        if len(set(names)) < len(names):
            raise ValueError("every name once")
        return names

    @abstractmethod
    def unfitted(self, schema: Schema) -> Transform:
        """The transform before it has seen data: what a saved state is loaded into."""

    def build(self, dataset: Dataset) -> Transform:
        """The transform, fitted on the training split where there is something to fit."""
        transform = self.unfitted(dataset.schema)
        transform.fit(dataset.split("train"))
        return transform
