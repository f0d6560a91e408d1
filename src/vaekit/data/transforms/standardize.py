"""Values with mean 0 and standard deviation 1, by the moments of the training split.

    x = (raw - mean) / std

Mean and deviation belong to each value of the event, and skip missing values. A value that
never changes has nothing to divide by: its std is taken as 1.
"""

from typing import Literal, final

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from vaekit.data.dataset import Dataset
from vaekit.data.moments import moments
from vaekit.data.splits import Split
from vaekit.data.transforms.ranges import widened
from vaekit.data.transforms.transform import ConditionName, Transform, TransformChoices
from vaekit.schema import Schema


@final
class Standardize(Transform):
    """Shifts and scales every value of the event; as built, by nothing."""

    protocol = "standardized"
    mean: Tensor
    std: Tensor

    def __init__(self, schema: Schema, condition: tuple[ConditionName, ...] = ()) -> None:
        super().__init__(schema, condition)
        self.register_buffer("mean", torch.zeros(schema.event_shape))
        self.register_buffer("std", torch.ones(schema.event_shape))

    def fit(self, split: Split) -> None:
        super().fit(split)
        fitted = moments(rows.x for rows in split.blocks(4096))
        self.mean.copy_(fitted.mean)
        self.std.copy_(fitted.std.where(fitted.std > 0, 1.0))

    def expectation(self, x: Shaped[Tensor, "rows *event"]) -> Float[Tensor, "rows *event"]:
        return ((widened(x) - self.mean) / self.std).float()

    def inverse(self, x: Float[Tensor, "*rows_and_event"]) -> Float[Tensor, "*rows_and_event"]:
        return x * self.std + self.mean


@final
class StandardizeSpec(TransformChoices):
    """Choices of standardised values: none."""

    kind: Literal["standardize"] = "standardize"

    def unfitted(self, schema: Schema) -> Standardize:
        return Standardize(schema, self.condition)

    def build(self, dataset: Dataset) -> Standardize:
        transform = self.unfitted(dataset.schema)
        transform.fit(dataset.split("train"))
        return transform
