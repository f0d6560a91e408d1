"""Files of many rows, opened without reading them: .npy, and .parquet with an extra."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, final

import numpy as np

from vaekit.data.files.arrays import UNREADABLE, read_array, unreadable
from vaekit.data.files.places import existing
from vaekit.errors import DataError, MissingExtraError


class RowFile(ABC):
    """Rows of values, and maybe labels.

    Args:
        path: The file.
        size: Number of rows.
        empty: An array of no rows in the shape and type of the values.
    """

    def __init__(self, path: Path, size: int, empty: np.ndarray) -> None:
        self.path, self.size, self.empty = path, size, empty

    @property
    def columns(self) -> tuple[str, ...] | None:
        """Names of features, where the file states them."""
        return None

    @abstractmethod
    def values(self) -> np.ndarray:
        """All rows, read anew."""

    @abstractmethod
    def labels(self) -> np.ndarray | None:
        """All labels, read anew."""

    def attributes(self) -> np.ndarray | None:
        """What else is known of the rows, shape (rows, attributes), read anew."""
        return None


@final
class NpyFile(RowFile):
    """Rows in a .npy file; labels in another one."""

    def __init__(self, path: Path, labels: Path | None) -> None:
        try:
            header = np.lib.format.open_memmap(existing(path), mode="r")
        except UNREADABLE as error:
            raise unreadable(path, error) from error
        size = len(header) if header.ndim > 0 else 0
        super().__init__(path, size, np.empty((0, *header.shape[1:]), header.dtype))
        self._labels = labels

    def values(self) -> np.ndarray:
        return read_array(self.path)

    def labels(self) -> np.ndarray | None:
        return None if self._labels is None else read_array(self._labels)


@final
class ParquetFile(RowFile):
    """Rows in a .parquet file: a numeric column per feature, or one column of equal lists.

    Args:
        path: The file.
        label_column: Column of the labels, if there are any.
        attributes: Columns of what else is known of the rows.
    """

    def __init__(
        self, path: Path, label_column: str | None, attributes: tuple[str, ...] = ()
    ) -> None:
        self._label_column, self._attributes = label_column, attributes
        file = _open_parquet(path)
        columns = {field.name: field.type for field in file.schema_arrow}
        taken = [*filter(None, [label_column]), *attributes]
        is_whole = all(columns.pop(name, None) is not None for name in taken)
        if not is_whole or not columns:
            raise DataError(
                "A column is missing.",
                where=path,
                expected="columns of values" + "".join(f", and {name!r}" for name in taken),
                found=", ".join(file.schema_arrow.names) or "no columns",
                remedy="correct data.label_column" + (", or data.attributes" if attributes else ""),
            )
        self._features = tuple(columns)
        first = next(iter(columns.values()))
        self._is_list = len(columns) == 1 and hasattr(first, "list_size")
        numbers = dict.fromkeys(columns, first.value_type) if self._is_list else columns
        dtype = np.result_type(*(_dtype(path, name, numbers[name]) for name in columns))
        width = first.list_size if self._is_list else len(columns)
        super().__init__(path, file.metadata.num_rows, np.empty((0, width), dtype))

    @property
    def columns(self) -> tuple[str, ...] | None:
        return None if self._is_list else self._features

    def values(self) -> np.ndarray:
        x = np.empty((self.size, *self.empty.shape[1:]), self.empty.dtype)
        table = self._read(list(self._features))
        for position, name in enumerate(self._features):
            column = table.column(name)
            if self._is_list:
                self._refuse_gaps(column, name)
                x[:] = self._numbers(column.combine_chunks().flatten(), name).reshape(x.shape)
            else:
                x[:, position] = self._numbers(column, name)
        return x

    def labels(self) -> np.ndarray | None:
        if self._label_column is None:
            return None
        return self._read([self._label_column]).column(0).to_numpy()

    def attributes(self) -> np.ndarray | None:
        if not self._attributes:
            return None
        table = self._read(list(self._attributes))
        columns = [table.column(name) for name in self._attributes]
        for name, column in zip(self._attributes, columns, strict=True):
            _dtype(self.path, name, column.type)
        return np.stack([c.to_numpy().astype(np.float64) for c in columns], axis=1)

    def _read(self, columns: list[str]) -> Any:
        try:
            return _open_parquet(self.path).read(columns=columns)
        except UNREADABLE as error:
            raise unreadable(self.path, error) from error

    def _numbers(self, column: Any, name: str) -> np.ndarray:
        if self.empty.dtype.kind != "f":
            self._refuse_gaps(column, name)
        return column.to_numpy(zero_copy_only=False)  # a gap among floats becomes NaN

    def _refuse_gaps(self, column: Any, name: str) -> None:
        if column.null_count > 0:
            raise DataError(
                "A column has gaps that cannot be told from values.",
                where=f"{self.path}, column {name!r}",
                expected="a number in every row",
                found=f"{column.null_count} nulls",
                remedy="fill them, or store floats and set data.missing = 'nan'",
            )


def _open_parquet(path: Path) -> Any:
    try:
        from pyarrow import parquet
    except ImportError:
        raise MissingExtraError("parquet", "Reading .parquet files") from None
    try:
        return parquet.ParquetFile(existing(path))
    except UNREADABLE as error:
        raise unreadable(path, error) from error


def _dtype(path: Path, name: str, arrow_type: Any) -> np.dtype:
    from pyarrow import types

    if (
        types.is_integer(arrow_type)
        or types.is_floating(arrow_type)
        or types.is_boolean(arrow_type)
    ):
        return np.dtype(arrow_type.to_pandas_dtype())
    raise DataError(
        "A column does not hold numbers.",
        where=f"{path}, column {name!r}",
        expected="numbers in every column, or one column of lists of equal length",
        found=arrow_type,
        remedy="leave it out of the file, or name it in data.label_column if it holds classes",
    )
