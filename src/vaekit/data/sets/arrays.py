"""A user's own arrays, from .npy, .npz or .csv files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, final

import numpy as np
from pydantic import Field

from vaekit.data.checks import checked_rows, count_classes
from vaekit.data.dataset import Dataset
from vaekit.data.files.arrays import read_array
from vaekit.data.files.csv_table import read_csv
from vaekit.data.sets.declared import DeclaredSpec
from vaekit.data.sets.division import cut, division_name
from vaekit.data.splits import InMemorySplit, Rows, Split

Share: TypeAlias = Annotated[float, Field(ge=0, lt=1)]


@final
class ArraysSpec(DeclaredSpec):
    """Choices of arrays in files: one row per example."""

    kind: Literal["arrays"] = "arrays"
    path: Path = Field(description="A .npy, .npz or .csv file of examples.")
    key: str | None = Field(default=None, description="Name of the examples in a .npz file.")
    labels: str | None = Field(
        default=None,
        description="Classes 0, 1, ...: a .npy file, or the name of an array or column in `path`.",
    )
    validation: Share | Path = Field(
        default=0.1, description="Share of `path`, or a file of its own."
    )
    validation_labels: str | None = Field(
        default=None, description="As `labels`, for a file of its own."
    )
    test: Share | Path = Field(default=0.1, description="Share of `path`, or a file of its own.")
    test_labels: str | None = Field(default=None, description="As `labels`, for a file of its own.")
    seed: int = Field(default=0, description="Seed of the order in which shares are cut off.")

    def load(self) -> Dataset:
        files = {"train": self._read(self.path, self.labels, self.columns)}
        columns = files["train"].columns
        if isinstance(self.validation, Path):
            files["validation"] = self._read(self.validation, self.validation_labels, columns)
        if isinstance(self.test, Path):
            files["test"] = self._read(self.test, self.test_labels, columns)
        counts = [count_classes(f.labels, f.name) for f in files.values() if f.labels is not None]
        train = files["train"]
        schema = self.schema_of(train.x, max(counts, default=None), train.name, columns)
        rows = {
            name: checked_rows(schema, self.arranged(file.x, file.name), file.labels, file.name)
            for name, file in files.items()
        }
        splits = self._cut(rows.pop("train")) | {
            name: InMemorySplit(own.x, own.labels) for name, own in rows.items()
        }
        return Dataset(self.name, schema, splits, train.name, division_name(splits))

    def _read(self, path: Path, labels: str | None, columns: tuple[str, ...] | None) -> "_File":
        # A name of an array holds for every file; a file of labels belongs to one.
        if labels is None and self.labels is not None and not _is_file(self.labels):
            labels = self.labels
        if path.suffix == ".csv":
            return _table(path, labels, columns)
        x = read_array(path, self.key)
        if labels is None:
            return _File(str(path), x, None, columns)
        y = read_array(Path(labels)) if _is_file(labels) else read_array(path, labels)
        return _File(str(path), x, y, columns)

    def _cut(self, rows: Rows) -> dict[str, Split]:
        shares = [0.0 if isinstance(s, Path) else s for s in (self.validation, self.test)]
        return cut(rows, *shares, seed=self.seed, where=str(self.path))


@dataclass(frozen=True)
class _File:
    name: str
    x: np.ndarray
    labels: np.ndarray | None
    columns: tuple[str, ...] | None


def _table(path: Path, labels: str | None, columns: tuple[str, ...] | None) -> _File:
    """The columns that are wanted, or all but the labels."""
    table = read_csv(path)
    wanted = columns or tuple(name for name in table.header if name != labels)
    y = None
    if labels is not None:
        y = read_array(Path(labels)) if _is_file(labels) else _classes(table.values([labels])[:, 0])
    return _File(str(path), table.values(wanted), y, wanted)


def _classes(values: np.ndarray) -> np.ndarray:
    """Whole numbers as such; others are complained of where labels are checked."""
    is_whole = np.isfinite(values).all() and (values == np.round(values)).all()
    return values.astype(np.int64) if is_whole else values


def _is_file(labels: str) -> bool:
    return labels.endswith((".npy", ".npz"))
