"""What one observation looks like: shape, kind, range, and what missing means.

A schema describes raw values, before any transform. It is checked once, where data enters
(files at training, requests at serving), so that nothing behind that door has to look at
values again. This file is free of torch: a serving image reads it.
"""

import math
from typing import Literal, Self, TypeAlias, final

import numpy as np
from pydantic import Field, model_validator

from vaekit.errors import DataError
from vaekit.spec import Spec

DType: TypeAlias = Literal[
    "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"
]


@final
class Attribute(Spec):
    """Something known of every example beside its values: a class, or a number.

    Example:
        >>> Attribute(name="kind", num_classes=3).expected, Attribute(name="weight").expected
        ('whole numbers from 0 to 2', 'finite numbers')
    """

    name: str = Field(pattern="^[^=]+$", description="What it is called; without an '='.")
    num_classes: int | None = Field(
        default=None, ge=1, description="Classes are 0, ..., num_classes - 1; none for a number."
    )

    @property
    def expected(self) -> str:
        """What its values have to be, in words."""
        if self.num_classes is None:
            return "finite numbers"
        return f"whole numbers from 0 to {self.num_classes - 1}"

    def wrong(self, values: np.ndarray) -> np.ndarray:
        """Which of some numbers it cannot have."""
        if self.num_classes is None:
            return ~np.isfinite(values)
        is_class = (values >= 0) & (values < self.num_classes) & (values == np.round(values))
        return ~is_class  # NaN is none, either


@final
class Schema(Spec):
    """The form of one example.

    Example:
        >>> schema = Schema(name="pixels", kind="vector", event_shape=(2,), dtype="uint8",
        ...                 low=0, high=15)
        >>> schema.check(np.array([[3, 99]], dtype=np.uint8), where="x.npy")
        Traceback (most recent call last):
        vaekit.errors.DataError: A value is outside its range.
          where:    x.npy, index [0, 1]
          expected: values from 0 to 15
          found:    99
          do:       correct the values, or widen `low` and `high`
    """

    name: str = Field(description="What the data set is called.")
    kind: Literal["image", "vector"] = Field(description="How the event is laid out.")
    event_shape: tuple[int, ...] = Field(
        description="(channels, height, width) of an image, (features,) of a vector."
    )
    dtype: DType = Field(description="Type of raw values.")
    low: float | None = Field(
        default=None, description="Smallest allowed raw value; none if unbounded."
    )
    high: float | None = Field(
        default=None, description="Largest allowed raw value; none if unbounded."
    )
    columns: tuple[str, ...] | None = Field(
        default=None, description="Names of a vector's features."
    )
    missing: Literal["forbid", "nan"] = Field(
        default="forbid", description="Whether NaN marks a missing value, or is an error."
    )
    num_classes: int | None = Field(
        default=None, ge=1, description="Labels are 0, ..., num_classes - 1; none without labels."
    )
    attributes: tuple[Attribute, ...] = Field(
        default=(), description="What else is known of every example, a column each."
    )

    binarized_by: str | None = Field(
        default=None, description="Who threw the coins, where raw values are zeros and ones by it."
    )

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if len(self.event_shape) != {"image": 3, "vector": 1}[self.kind]:
            raise ValueError(f"event_shape {self.event_shape} does not fit kind {self.kind!r}")
        if min(self.event_shape) < 1:
            raise ValueError(f"event_shape {self.event_shape} has an empty side")
        if self.columns is not None and (len(self.columns),) != self.event_shape:
            raise ValueError(f"{len(self.columns)} columns for event_shape {self.event_shape}")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"low = {self.low:g} is not below high = {self.high:g}")
        if not self.is_float and any(bound != round(bound) for bound in self._bounds()):
            raise ValueError(f"low and high are not whole numbers, for {self.dtype}")
        if self.missing == "nan" and not self.is_float:
            raise ValueError(f"missing = 'nan' needs floating-point values, not {self.dtype}")
        names = ["label", *(attribute.name for attribute in self.attributes)]
        if len(set(names)) < len(names):
            raise ValueError(f"names of attributes are taken: {', '.join(names)}")
        return self

    @property
    def is_float(self) -> bool:
        """Whether raw values are floating-point numbers."""
        return self.dtype.startswith("float")

    def fitted(self, values: np.ndarray, where: str = "x") -> np.ndarray:
        """`values` in this layout and type, checked; shape (examples, *event_shape).

        One example may come without an axis of its own; images may leave out a single channel,
        have it last, or be flat. Whole numbers have to keep their value, floating-point numbers
        are rounded to the precision of this type.

        Args:
            values: What was read or received.
            where: File or field it came from, for messages.

        Raises:
            DataError: Naming what does not fit.
        """
        if values.dtype.kind not in "buif":
            raise DataError(
                "Values are not numbers.", where=where, expected=self.dtype, found=values.dtype
            )
        converted = self._converted(self._arranged(values), where)
        self.check(converted, where)
        return converted

    def check(self, values: np.ndarray, where: str = "x") -> None:
        """Checks a batch of raw values, shape (examples, *event_shape).

        Args:
            values: What was read or received.
            where: File or field it came from, for messages.

        Raises:
            DataError: Naming the first value that does not fit.
        """
        self._check_form(values, where)
        if self.is_float:
            self._check_finite(values, where)
        self._check_range(values, where)

    def check_attributes(self, values: np.ndarray, where: str = "attributes") -> None:
        """Checks the attributes of a batch, shape (examples, attributes).

        Args:
            values: What was read, numbers of any type.
            where: File or field it came from, for messages.

        Raises:
            DataError: Naming the row and the attribute of the first value that does not fit.
        """
        width = len(self.attributes)
        if values.shape[1:] != (width,) or values.ndim != 2 or values.dtype.kind not in "buif":
            raise DataError(
                f"Attributes do not have the form of {self.name}.",
                where=where,
                expected=f"numbers of shape (examples, {width})",
                found=f"{values.dtype}, shape {values.shape}",
                remedy="give a column for each attribute",
            )
        for attribute, column in zip(self.attributes, values.T, strict=True):
            wrong = attribute.wrong(column)
            if wrong.any():
                row = int(wrong.argmax())
                raise DataError(
                    "An attribute cannot be used.",
                    where=f"{where}, row {row}, attribute {attribute.name!r}",
                    expected=attribute.expected,
                    found=column[row],
                    remedy="correct it, or drop the example",
                )

    def _arranged(self, values: np.ndarray) -> np.ndarray:
        """Rows in this layout, where there is no doubt which; `check` complains of the others."""
        shape, size = self.event_shape, math.prod(self.event_shape)
        if values.shape == shape:
            return values[None]
        if self.kind == "image" and values.shape[1:] == (*shape[1:], shape[0]):
            return np.moveaxis(values, -1, 1)
        without_channel = shape[0] == 1 and values.shape[1:] == shape[1:]
        if values.ndim > 1 and (values.shape[1:] == (size,) or without_channel):
            return values.reshape(len(values), *shape)
        return values

    def _converted(self, values: np.ndarray, where: str) -> np.ndarray:
        with np.errstate(over="ignore", invalid="ignore"):  # found out below, or by `check`
            converted = np.ascontiguousarray(values, dtype=self.dtype)
        is_other = values.dtype != converted.dtype
        if is_other and not self.is_float and not np.array_equal(converted, values):
            wrong = values[_first(converted != values)]
            raise DataError(
                f"Values do not have the type of {self.name}.",
                where=where,
                expected=f"{self.dtype}, or values that it can hold",
                found=f"{values.dtype}, with the value {wrong:g}",
                remedy="give raw values in the units of the training data",
            )
        return converted

    def _check_form(self, values: np.ndarray, where: str) -> None:
        if values.shape[1:] != self.event_shape or values.ndim == 0:
            raise DataError(
                f"Examples do not have the shape of {self.name}.",
                where=where,
                expected=f"shape (examples, {', '.join(map(str, self.event_shape))})",
                found=f"shape {values.shape}",
                remedy="reshape the values, or describe the shape they have",
            )
        if values.dtype != self.dtype:
            raise DataError(
                f"Values do not have the type of {self.name}.",
                where=where,
                expected=self.dtype,
                found=values.dtype,
                remedy=f"convert them with .astype('{self.dtype}')",
            )

    def _check_finite(self, values: np.ndarray, where: str) -> None:
        allows_nan = self.missing == "nan"
        wrong = np.isinf(values) if allows_nan else ~np.isfinite(values)
        if wrong.any():
            first = _first(wrong)
            raise DataError(
                "A value is not a finite number.",
                where=self._place(where, first),
                expected="finite numbers" + (", or NaN where missing" if allows_nan else ""),
                found=values[first],
                remedy="correct or drop the example"
                + ("" if allows_nan else "; if NaN means missing, set missing = 'nan'"),
            )

    def _check_range(self, values: np.ndarray, where: str) -> None:
        low = -np.inf if self.low is None else self.low
        high = np.inf if self.high is None else self.high
        limits = np.finfo(self.dtype) if self.is_float else np.iinfo(self.dtype)
        if low <= limits.min and high >= limits.max:
            return  # nothing of this type can be outside
        wrong = (values < low) | (values > high)
        if wrong.any():
            first = _first(wrong)
            raise DataError(
                "A value is outside its range.",
                where=self._place(where, first),
                expected=f"values from {low:g} to {high:g}",
                found=values[first],
                remedy="correct the values, or widen `low` and `high`",
            )

    def _bounds(self) -> tuple[float, ...]:
        return tuple(bound for bound in (self.low, self.high) if bound is not None)

    def _place(self, where: str, index: tuple[int, ...]) -> str:
        column = f" (column {self.columns[index[1]]!r})" if self.columns else ""
        return f"{where}, index {list(index)}{column}"


def protocol_in_words(protocol: str) -> str:
    """What is printed beside numbers: how pixels were binarized, or what the values are.

    Example:
        >>> protocol_in_words("static (Larochelle)"), protocol_in_words("standardized")
        ('binarization static (Larochelle)', 'values standardized')
    """
    is_of_pixels = protocol.split()[0] in ("dynamic", "static", "threshold", "none")
    return f"{'binarization' if is_of_pixels else 'values'} {protocol}"


def _first(wrong: np.ndarray) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(wrong.argmax(), wrong.shape))
