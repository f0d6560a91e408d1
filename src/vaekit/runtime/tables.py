"""Answers in a file, by its ending: .npz, .csv, .parquet."""

import csv
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from vaekit.artifacts import write_file
from vaekit.errors import MissingExtraError, SpecError


def write_columns(path: Path, columns: Mapping[str, np.ndarray]) -> None:
    """Writes arrays that have one row per example, whole or not at all.

    In a table, an array of several values per example becomes several columns, `name_0`,
    `name_1`, ...

    Raises:
        SpecError: The ending is unknown.
        MissingExtraError: Parquet without its packages.
        ArtifactError: The place cannot be written to.
    """
    ending, content = path.suffix.lower(), io.BytesIO()
    if ending == ".npz":
        _write_arrays(content, columns)
    elif ending == ".csv":
        table = _table(columns)
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))  # 1.1 of float32 stays 1.1
        content.write(text.getvalue().encode())
    elif ending == ".parquet":
        _write_parquet(content, _table(columns))
    else:
        raise SpecError(
            "Answers cannot be written in this format.",
            where=path,
            expected="a name that ends in .npz, .csv or .parquet",
            found=path.suffix or "no ending",
        )
    write_file(path, content.getvalue(), what="file")


def _write_arrays(content: io.BytesIO, columns: Mapping[str, np.ndarray]) -> None:
    """What numpy.savez does, but for names that would be taken for its settings."""
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in columns.items():
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, np.ascontiguousarray(values), allow_pickle=False)


def _table(columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    table: dict[str, np.ndarray] = {}
    for name, values in columns.items():
        if values.ndim == 1:
            table[name] = values
        else:
            flat = values.reshape(len(values), -1)
            table |= {f"{name}_{i}": flat[:, i] for i in range(flat.shape[1])}
    return table


def _write_parquet(content: io.BytesIO, table: Mapping[str, np.ndarray]) -> None:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise MissingExtraError("parquet", "Writing .parquet files") from None
    parquet.write_table(pyarrow.table(dict(table)), content)
