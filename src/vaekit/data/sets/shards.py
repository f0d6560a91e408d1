"""A user's own arrays, in files that together are larger than memory.

Shards are read one after the other; in training, shards are shuffled and rows inside each.
Two shards have to fit into memory at once.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, final

import numpy as np
from pydantic import BeforeValidator, Field

from vaekit.data.checks import count_classes
from vaekit.data.dataset import Dataset
from vaekit.data.files.places import existing
from vaekit.data.files.row_files import NpyFile, ParquetFile, RowFile
from vaekit.data.sets.declared import DeclaredSpec
from vaekit.data.sets.division import division_name
from vaekit.data.sharded import Shard, ShardedSplit
from vaekit.data.splits import Split
from vaekit.errors import DataError, SpecError
from vaekit.schema import Attribute, Schema

Patterns: TypeAlias = Annotated[
    tuple[str, ...], BeforeValidator(lambda given: (given,) if isinstance(given, str) else given)
]


@final
class ShardsSpec(DeclaredSpec):
    """Choices of shards: .npy or .parquet files.

    Attributes are columns of .parquet files. Every list of files is of names, or patterns of names
    in one folder; what fits a pattern is sorted.
    """

    kind: Literal["shards"] = "shards"
    path: Patterns = Field(min_length=1, description="Training shards, as in 'data/*.parquet'.")
    labels: Patterns = Field(default=(), description="A .npy file of classes for every .npy shard.")
    validation: Patterns = Field(default=(), description="Shards to validate on.")
    validation_labels: Patterns = Field(default=(), description="Their classes.")
    test: Patterns = Field(default=(), description="Shards to test on.")
    test_labels: Patterns = Field(default=(), description="Their classes.")
    label_column: str | None = Field(
        default=None, description="Column of classes in .parquet shards."
    )

    def load(self) -> Dataset:
        given = {
            "train": (self.path, self.labels),
            "validation": (self.validation, self.validation_labels),
            "test": (self.test, self.test_labels),
        }
        files = {name: self._opened(*patterns) for name, patterns in given.items() if patterns[0]}
        first = files["train"][0]
        schema = self._schema(
            first, _classes_in(files.values()), self.described(_known_in(files.values()))
        )
        for name in files:
            self._check_alike(schema, first, files[name])
        splits: dict[str, Split] = {
            name: ShardedSplit([_FileShard(file, self) for file in files[name]], schema)
            for name in files
        }
        source = ", ".join(self.path)
        return Dataset(self.name, schema, splits, source, division_name(splits))

    def _schema(
        self, file: RowFile, num_classes: int | None, attributes: tuple[Attribute, ...]
    ) -> Schema:
        columns = file.columns if self.event == "vector" else None
        return self.schema_of(file.empty, num_classes, str(file.path), columns, attributes)

    def _opened(self, patterns: Sequence[str], labels: Sequence[str]) -> list[RowFile]:
        paths, label_paths = _matches(patterns), _matches(labels)
        if label_paths and len(label_paths) != len(paths):
            raise DataError(
                "Not every shard has its file of labels.",
                where=", ".join(labels),
                expected=f"{len(paths)} files",
                found=len(label_paths),
            )
        pairs = zip(paths, label_paths or [None] * len(paths), strict=True)
        files = [self._open(path, label_path) for path, label_path in pairs]
        if any(file.size for file in files):
            return [file for file in files if file.size]  # writers leave empty files behind
        raise DataError("There are no examples.", where=", ".join(patterns), expected="some rows")

    def _open(self, path: Path, labels: Path | None) -> RowFile:
        if path.suffix == ".parquet" and labels is None:
            return ParquetFile(path, self.label_column, self.attributes)
        if path.suffix == ".npy" and self.label_column is None and not self.attributes:
            return NpyFile(path, labels)
        raise SpecError(
            "Shards cannot be read in this way.",
            where=path,
            expected=".parquet files with data.label_column and data.attributes, or .npy files "
            "with data.labels",
            found=path.suffix,
        )

    def _check_alike(self, schema: Schema, first: RowFile, files: Sequence[RowFile]) -> None:
        for file in files:
            other = self._schema(file, schema.num_classes, schema.attributes)
            if other != schema:
                raise DataError(
                    "Shards differ in what a row is.",
                    where=file.path,
                    expected=f"{schema.event_shape} {schema.dtype}, as in {first.path}",
                    found=f"{other.event_shape} {other.dtype}"
                    + ("" if other.columns == schema.columns else ", other columns"),
                )


@final
class _FileShard(Shard):
    def __init__(self, file: RowFile, form: DeclaredSpec) -> None:
        super().__init__(str(file.path), file.size)
        self._file, self._form = file, form

    def read(self) -> tuple[np.ndarray, np.ndarray | None]:
        return self._form.arranged(self._file.values(), self.name), self._file.labels()

    def attributes(self) -> np.ndarray | None:
        return self._file.attributes()


def _classes_in(splits: Iterable[Sequence[RowFile]]) -> int | None:
    counts = []
    for file in chain.from_iterable(splits):
        labels = file.labels()
        if labels is not None:
            counts.append(count_classes(labels, str(file.path)))
    return max(counts, default=None)


def _known_in(splits: Iterable[Sequence[RowFile]]) -> Iterator[tuple[str, np.ndarray]]:
    for file in chain.from_iterable(splits):
        known = file.attributes()
        if known is not None:
            yield str(file.path), known


def _matches(patterns: Sequence[str]) -> list[Path]:
    found: list[Path] = []
    for pattern in patterns:
        path = Path(pattern).expanduser()
        found += sorted(path.parent.glob(path.name)) or [existing(path)]
    return found
