"""The door for values: arrays become rows only after they were checked."""

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from vaekit.data.splits import Rows
from vaekit.errors import DataError
from vaekit.schema import Schema


def checked_rows(
    schema: Schema,
    x: np.ndarray,
    labels: np.ndarray | None,
    where: str,
    attributes: np.ndarray | None = None,
) -> Rows:
    """Rows that fit `schema`.

    Args:
        schema: What every example must look like.
        x: Raw values.
        labels: Classes, one per example, where the schema has classes.
        where: File they came from, for messages.
        attributes: What else is known of each example, where the schema has attributes.

    Raises:
        DataError: Where anything does not fit.
    """
    schema.check(x, where)
    if len(x) == 0:
        raise DataError("There are no examples.", where=where, expected="at least one row")
    if (labels is None) != (schema.num_classes is None):
        raise DataError(
            "Splits disagree about labels.",
            where=where,
            expected="labels" if labels is None else "no labels",
            found="no labels" if labels is None else "labels",
            remedy="give labels for every split, or for none",
        )
    return Rows(
        _tensor(x),
        None if labels is None else _checked_labels(schema, x, labels, where),
        _checked_attributes(schema, len(x), attributes, where),
    )


def count_classes(labels: np.ndarray, where: str) -> int:
    """One more than the largest label; labels must be whole numbers from 0."""
    if labels.dtype.kind not in "iub" or labels.ndim != 1:
        raise DataError(
            "Labels are not whole numbers in a row.",
            where=where,
            expected="one integer per example",
            found=f"{labels.dtype}, shape {labels.shape}",
            remedy="number the classes 0, 1, 2, ...",
        )
    if len(labels) == 0 or labels.min() < 0:
        index = None if len(labels) == 0 else int((labels < 0).argmax())
        raise DataError(
            "Labels do not count from 0.",
            where=where if index is None else f"{where}, index {index}",
            expected="0, 1, 2, ...",
            found="no labels" if index is None else labels[index],
        )
    return int(labels.max()) + 1


def _checked_labels(
    schema: Schema, x: np.ndarray, labels: np.ndarray, where: str
) -> Int64[Tensor, " rows"]:
    if len(labels) != len(x):
        raise DataError(
            "Labels do not match the examples.",
            where=where,
            expected=f"{len(x)} labels",
            found=len(labels),
            remedy="give one label per example",
        )
    found = count_classes(labels, where)
    if schema.num_classes is not None and found > schema.num_classes:
        raise DataError(
            "A label is outside its range.",
            where=f"{where}, index {int(labels.argmax())}",
            expected=f"labels from 0 to {schema.num_classes - 1}",
            found=found - 1,
        )
    return _tensor(labels.astype(np.int64))


def _checked_attributes(
    schema: Schema, examples: int, attributes: np.ndarray | None, where: str
) -> Float32[Tensor, "rows attributes"] | None:
    if (attributes is None) == bool(schema.attributes) or (
        attributes is not None and len(attributes) != examples
    ):
        names = ", ".join(attribute.name for attribute in schema.attributes)
        raise DataError(
            "Attributes do not match the examples.",
            where=where,
            expected=f"{names} of {examples} examples" if names else "no attributes",
            found="none" if attributes is None else f"those of {len(attributes)} examples",
            remedy="give attributes for every example of every split, or for none",
        )
    if attributes is None:
        return None
    with np.errstate(over="ignore"):  # found out by the check
        kept = attributes.astype(np.float32)
    schema.check_attributes(kept, where)
    return _tensor(kept)


def _tensor(values: np.ndarray) -> Tensor:
    # A copy where the array is read-only or not contiguous: torch would warn of the first
    # and be slow on the second.
    return torch.from_numpy(np.require(values, requirements=["C", "W"]))
