"""How a user describes arrays of their own: what one row is, and which values are right."""

import math
from typing import Literal

import numpy as np
from pydantic import Field, PositiveInt, ValidationError

from vaekit.data.files.arrays import compact
from vaekit.data.sets.attributes import AttributedSpec
from vaekit.errors import DataError, SpecError
from vaekit.schema import Attribute, Schema

BOUNDS = {"uint8": (0.0, 255.0), "bool": (0.0, 1.0)}


class DeclaredSpec(AttributedSpec):
    """What sets of a user's own have in common: the form of one example."""

    name: str = Field(default="own data", description="What the data set is called.")
    event: Literal["image", "vector"] = Field(default="vector", description="What one example is.")
    layout: Literal["hw", "hwc", "chw"] = Field(
        default="hw", description="Order of height, width and channels in an image."
    )
    shape: tuple[PositiveInt, ...] | None = Field(
        default=None,
        description="Shape of one image in the order of `layout`, where rows are flat.",
    )
    low: float | None = Field(
        default=None, description="Smallest right value; by default 0 for uint8."
    )
    high: float | None = Field(
        default=None, description="Largest right value; by default 255 for uint8."
    )
    missing: Literal["forbid", "nan"] = Field(
        default="forbid", description="Whether NaN marks a missing value, or is an error."
    )
    columns: tuple[str, ...] | None = Field(
        default=None, description="Names of a vector's features."
    )

    def arranged(self, x: np.ndarray, where: str) -> np.ndarray:
        """Stored rows as (rows, features) or (rows, channels, height, width).

        Raises:
            DataError: Where rows do not have the declared form.
        """
        sides = tuple(self.layout) if self.event == "image" else ("feature",)
        rows = compact(x, where)
        if self.shape is not None and rows.shape[1:] == (math.prod(self.shape),):
            rows = rows.reshape(len(rows), *self.shape)
        if rows.ndim != 1 + len(sides) or self.shape not in (None, rows.shape[1:]):
            raise DataError(
                f"Rows are not {self.event}s of the declared form.",
                where=where,
                expected=f"shape (rows, {', '.join(sides)})"
                + (f", or flat rows of shape {self.shape}" if self.shape else ""),
                found=f"shape {x.shape}",
                remedy="set data.event, data.layout and data.shape to what the file holds",
            )
        if self.event == "vector" or self.layout == "chw":
            return rows
        return rows[:, None] if self.layout == "hw" else np.moveaxis(rows, -1, 1)

    def schema_of(
        self,
        stored: np.ndarray,
        num_classes: int | None,
        where: str,
        columns: tuple[str, ...] | None = None,
        attributes: tuple[Attribute, ...] = (),
    ) -> Schema:
        """The schema of rows as a file stores them.

        Args:
            stored: Rows of the file, or none of them in the right shape and type.
            num_classes: Number of classes, if there are labels.
            where: The file, for messages.
            columns: Names of features that the file states.
            attributes: What is known of examples beside their values.

        Raises:
            DataError: Where rows do not have the declared form.
            SpecError: Where the declaration contradicts itself or the type of the values.
        """
        form = self.arranged(stored, where)
        low, high = BOUNDS.get(stored.dtype.name, (None, None))
        try:
            return Schema.model_validate(
                {
                    "name": self.name,
                    "kind": self.event,
                    "event_shape": form.shape[1:],
                    "dtype": form.dtype.name,
                    "low": low if self.low is None else self.low,
                    "high": high if self.high is None else self.high,
                    "columns": self.columns or columns,
                    "missing": self.missing,
                    "num_classes": num_classes,
                    "attributes": attributes,
                }
            )
        except ValidationError as error:
            raise SpecError(
                "The declared form does not fit the values.",
                where=where,
                found="; ".join(problem["msg"] for problem in error.errors()),
                remedy="correct the [data] table of the recipe",
            ) from error
