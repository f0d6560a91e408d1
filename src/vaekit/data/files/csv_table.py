"""Tables in .csv files: a line of column names, then rows of numbers."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vaekit.data.files.places import existing
from vaekit.errors import DataError


class CsvTable(NamedTuple):
    """A table as it was read, its cells still texts."""

    path: Path
    header: list[str]
    rows: list[list[str]]

    def values(self, names: Sequence[str]) -> np.ndarray:
        """Some columns as float64, shape (rows, names); an empty cell is NaN.

        Raises:
            DataError: Where a column is missing, or a cell is no number.
        """
        positions = self._positions(names)
        numbers = [self._numbers(line, row, positions) for line, row in enumerate(self.rows, 2)]
        return np.array(numbers, dtype=float).reshape(len(numbers), len(names))

    def texts(self, name: str) -> list[str]:
        """A column as it stands; nothing where a line is too short.

        Raises:
            DataError: Where the column is missing.
        """
        (position,) = self._positions([name])
        return [row[position] if position < len(row) else "" for row in self.rows]

    def _positions(self, names: Sequence[str]) -> list[int]:
        missing = [name for name in names if name not in self.header]
        if missing:
            raise DataError(
                "Columns are missing.",
                where=self.path,
                expected=", ".join(names),
                found=", ".join(self.header),
                remedy=f"add {', '.join(missing)}",
            )
        return [self.header.index(name) for name in names]

    def _numbers(self, line: int, row: list[str], positions: list[int]) -> list[float]:
        cell, column = "nothing", 0
        try:
            numbers = []
            for column in positions:
                cell = row[column] if column < len(row) else "nothing"
                numbers.append(float(cell or "nan"))
            return numbers
        except ValueError as error:
            raise DataError(
                "A cell is not a number.",
                where=f"{self.path}, line {line}, column {self.header[column]}",
                expected="a number, or nothing between two commas for a missing value",
                found=cell,
                remedy="correct it, or leave the column out",
            ) from error


def read_csv(path: Path) -> CsvTable:
    """A table from a file.

    Raises:
        DataError: Where the file is not there, empty or no text.
    """
    path = existing(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            header, *rows = [*csv.reader(file)] or [[]]
    except (OSError, ValueError, csv.Error) as error:
        raise _unreadable(path, error) from error
    if not header:
        raise _unreadable(path, "an empty file or line")
    return CsvTable(path, header, [row for row in rows if row])


def _unreadable(path: Path, found: object) -> DataError:
    return DataError(
        "A CSV file cannot be read.",
        where=path,
        expected="a line of column names, then rows of numbers, separated by commas",
        found=found,
    )
