"""What else is known of examples: columns of numbers that lie in files, by name."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from pydantic import Field, model_validator

from vaekit.data.checks import count_classes
from vaekit.data.files.arrays import compact, read_array
from vaekit.data.files.csv_table import read_csv
from vaekit.errors import DataError
from vaekit.schema import Attribute
from vaekit.spec import Spec


class AttributedSpec(Spec):
    """What sets of a user's own have in common: the names of what is known of examples."""

    attributes: tuple[str, ...] = Field(
        default=(), description="Names of what is known of examples beside values and labels."
    )
    categorical: tuple[str, ...] = Field(
        default=(),
        description="Those of `attributes` that are classes 0, 1, ...; others are numbers.",
    )

    @model_validator(mode="after")
    def _knows_what_is_categorical(self) -> "AttributedSpec":
        unknown = [name for name in self.categorical if name not in self.attributes]
        if unknown:
            raise ValueError(f"categorical: {', '.join(unknown)} not in attributes")
        return self

    def described(self, found: Iterable[tuple[str, np.ndarray]]) -> tuple[Attribute, ...]:
        """The attributes, with as many classes as the files have.

        Args:
            found: Name of a file and what it holds, shape (rows, attributes).

        Raises:
            DataError: Where classes are not whole numbers from 0.
        """
        classes = dict.fromkeys(self.categorical, 0)
        for where, values in found:
            for name in self.categorical:
                column = whole(values[:, self.attributes.index(name)])
                counted = count_classes(column, f"{where}, attribute {name!r}")
                classes[name] = max(classes[name], counted)
        return tuple(
            Attribute(name=name, num_classes=classes.get(name)) for name in self.attributes
        )


def read_attributes(path: Path, names: tuple[str, ...]) -> np.ndarray:
    """Columns of a file as an array of shape (rows, names).

    Args:
        path: A .csv file with these columns, a .npz file with these arrays, or a .npy file of
            one column for each name.
        names: What they are called.

    Raises:
        DataError: Where they are not there, or no numbers.
    """
    if path.suffix == ".csv":
        return read_csv(path).values(names)
    if path.suffix == ".npz":
        columns = [compact(read_array(path, name), f"{path}, array {name!r}") for name in names]
        if any(column.shape != (len(columns[0]),) for column in columns):
            shapes = (f"{name} {column.shape}" for name, column in zip(names, columns, strict=True))
            raise _misshapen(path, "one number per example in each array", ", ".join(shapes))
        return np.stack(columns, axis=1)
    values = compact(read_array(path), str(path))
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or values.shape[1] != len(names):
        raise _misshapen(path, f"shape (rows, {len(names)}) for {', '.join(names)}", values.shape)
    return values


def whole(values: np.ndarray) -> np.ndarray:
    """Whole numbers as such; others are complained of where classes are counted."""
    is_whole = np.isfinite(values).all() and (values == np.round(values)).all()
    return values.astype(np.int64) if is_whole else values


def _misshapen(path: Path, expected: str, found: object) -> DataError:
    return DataError(
        "Attributes do not have the form that was declared.",
        where=path,
        expected=expected,
        found=found,
        remedy="correct data.attributes, or the file",
    )
