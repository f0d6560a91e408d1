"""What every transform promises: raw values in, what the likelihood scores out, and back.

A transform is a module without parameters. What it learns from the training split is in
buffers, which are saved with the model; everything else follows from its spec and the schema,
which are saved too: serving cannot disagree with training. It acts on whole batches, on the
device the rows are on.
"""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from vaekit.data.dataset import Dataset
from vaekit.data.observation import Observation
from vaekit.data.splits import Rows, Split
from vaekit.schema import Schema
from vaekit.spec import Spec


class Transform(nn.Module, ABC):
    """Turns raw rows into observations.

    Args:
        schema: The form of raw values.
    """

    protocol: str
    """What is printed beside numbers that were computed with it."""
    is_random: bool = False
    """Whether two presentations of a row can differ."""
    gives_whole_numbers: bool = False
    """Whether presented values are whole, so that a likelihood can give them probabilities."""

    def __init__(self, schema: Schema) -> None:
        super().__init__()
        self._marks_missing = schema.missing == "nan"

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

    def expected(self, rows: Rows) -> Observation:
        """The mean over presentations of `rows`: what a served model is shown."""
        return self._observation(self.expectation(rows.x), rows)

    def _observation(self, x: Tensor, rows: Rows) -> Observation:
        if not self._marks_missing:
            return Observation(x)
        seen = ~rows.x.isnan()
        return Observation(x.where(seen, 0.0), mask=seen)


class TransformChoices(Spec, ABC):
    """What the specs of transforms have in common."""

    @abstractmethod
    def unfitted(self, schema: Schema) -> Transform:
        """The transform before it has seen data: what a saved state is loaded into."""

    def build(self, dataset: Dataset) -> Transform:
        """The transform, fitted on the training split where there is something to fit."""
        return self.unfitted(dataset.schema)
