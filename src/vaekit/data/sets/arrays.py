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
from vaekit.data.sets.attributes import read_attributes, whole
from vaekit.data.sets.declared import DeclaredSpec
from vaekit.data.sets.division import cut, division_name
from vaekit.data.splits import InMemorySplit, Rows, Split
from vaekit.schema import Schema

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
    attributes_path: Path | None = Field(
        default=None,
        description="Where attributes lie: columns of a .csv, arrays of a .npz, or a .npy with a "
        "column each; by default in `path`.",
    )
    validation: Share | Path = Field(
        default=0.1, description="Share of `path`, or a file of its own."
    )
    validation_labels: str | None = Field(
        default=None, description="As `labels`, for a file of its own."
    )
    validation_attributes_path: Path | None = Field(
        default=None, description="As `attributes_path`, for a file of its own."
    )
    test: Share | Path = Field(default=0.1, description="Share of `path`, or a file of its own.")
    test_labels: str | None = Field(default=None, description="As `labels`, for a file of its own.")
    test_attributes_path: Path | None = Field(
        default=None, description="As `attributes_path`, for a file of its own."
    )
    seed: int = Field(default=0, description="Seed of the order in which shares are cut off.")

    def load(self) -> Dataset:
        train = self._read(self.path, self.labels, self.attributes_path, self.columns)
        files = {"train": train}
        others = {
            "validation": (
                self.validation, self.validation_labels, self.validation_attributes_path
            ),
            "test": (self.test, self.test_labels, self.test_attributes_path),
        }  # fmt: skip
        for name, (path, labels, attributes) in others.items():
            if isinstance(path, Path):
                files[name] = self._read(path, labels, attributes, train.columns)
        schema = self._schema(list(files.values()))
        rows = {
            name: checked_rows(
                schema,
                self.arranged(file.x, file.name),
                file.labels,
                file.name,
                file.attributes,
            )
            for name, file in files.items()
        }
        splits = self._cut(rows.pop("train")) | {
            name: InMemorySplit.of(own) for name, own in rows.items()
        }
        return Dataset(self.name, schema, splits, train.name, division_name(splits))

    def _schema(self, files: "list[_File]") -> Schema:
        counts = [count_classes(f.labels, f.name) for f in files if f.labels is not None]
        known = [(f.name, f.attributes) for f in files if f.attributes is not None]
        train = files[0]
        return self.schema_of(
            train.x, max(counts, default=None), train.name, train.columns, self.described(known)
        )

    def _read(
        self,
        path: Path,
        labels: str | None,
        attributes_path: Path | None,
        columns: tuple[str, ...] | None,
    ) -> "_File":
        # A name of an array holds for every file; a file of labels belongs to one.
        if labels is None and self.labels is not None and not _is_file(self.labels):
            labels = self.labels
        known = None
        if self.attributes:
            known = read_attributes(attributes_path or path, self.attributes)
        if path.suffix == ".csv":
            return self._table(path, labels, known, columns)
        x = read_array(path, self.key)
        if labels is None:
            return _File(str(path), x, None, known, columns)
        y = read_array(Path(labels)) if _is_file(labels) else read_array(path, labels)
        return _File(str(path), x, y, known, columns)

    def _table(
        self,
        path: Path,
        labels: str | None,
        known: np.ndarray | None,
        columns: tuple[str, ...] | None,
    ) -> "_File":
        """The columns that are wanted, or all but the labels and attributes."""
        table = read_csv(path)
        taken = {labels, *self.attributes}
        wanted = columns or tuple(name for name in table.header if name not in taken)
        y = None
        if labels is not None:
            is_file = _is_file(labels)
            y = read_array(Path(labels)) if is_file else whole(table.values([labels])[:, 0])
        return _File(str(path), table.values(wanted), y, known, wanted)

    def _cut(self, rows: Rows) -> dict[str, Split]:
        shares = [0.0 if isinstance(s, Path) else s for s in (self.validation, self.test)]
        return cut(rows, *shares, seed=self.seed, where=str(self.path))


@dataclass(frozen=True)
class _File:
    name: str
    x: np.ndarray
    labels: np.ndarray | None
    attributes: np.ndarray | None
    columns: tuple[str, ...] | None


def _is_file(labels: str) -> bool:
    return labels.endswith((".npy", ".npz"))
