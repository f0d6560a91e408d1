"""Examples in from a file of the user's, answers out to a file, by the file's ending.

    in:   .npy  .npz  .csv  .parquet  .png  .jpg, or a folder of pictures
    out:  .npz  .csv  .parquet

What comes in has to fit the schema of a trained model; arrays of images may leave out a single
channel, have it last, or be flat.
"""

import csv
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from vaekit.data.files.arrays import compact, read_array
from vaekit.data.files.csv_table import read_csv
from vaekit.data.files.places import existing, write_whole
from vaekit.data.files.row_files import ParquetFile
from vaekit.data.sets.images import SUFFIXES, opened, pictures_in
from vaekit.errors import ArtifactError, DataError, MissingExtraError, SpecError
from vaekit.schema import Schema


def read_examples(path: Path, schema: Schema, key: str | None = None) -> np.ndarray:
    """Raw values of shape (examples, *event_shape), checked.

    Args:
        path: A file, or a folder of pictures.
        schema: What an example has to look like.
        key: Name of the array in a .npz file; not needed where it holds one array.

    Raises:
        DataError: Where the file cannot be read, or does not fit the schema.
    """
    path = path.expanduser()
    if path.is_dir() or path.suffix.lower() in SUFFIXES:
        x = _pictures(pictures_in(path) if path.is_dir() else [existing(path)], schema)
    elif path.suffix == ".csv":
        table = read_csv(path)
        x = table.values(schema.columns or table.header)
    elif path.suffix == ".parquet":
        x = ParquetFile(path, None).values()
    elif path.suffix in (".npy", ".npz"):
        x = read_array(path, key)
    else:
        raise DataError(
            "This kind of file cannot be read.",
            where=existing(path),
            expected=f"a file that ends in .npy, .npz, .csv, .parquet, {', '.join(SUFFIXES)}, or a "
            "folder of pictures",
            found=path.suffix or "no ending",
        )
    fitted = schema.fitted(compact(x, str(path)), str(path))
    if len(fitted) == 0:
        raise DataError("There are no examples.", where=path, expected="at least one row")
    return fitted


def _pictures(paths: list[Path], schema: Schema) -> np.ndarray:
    channels, height, width = schema.event_shape if schema.kind == "image" else (0, 0, 0)
    images = []
    for path in paths:
        image = opened(path, "rgb" if channels == 3 else "grey")
        if (image.height, image.width) != (height, width):
            raise DataError(
                f"A picture does not fit {schema.name}.",
                where=path,
                expected=f"{height} x {width} (height x width)" if channels else "no pictures",
                found=f"{image.height} x {image.width}",
                remedy="resize it",
            )
        images.append(np.asarray(image).reshape(height, width, -1))
    return np.moveaxis(np.stack(images), -1, 1)


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
    write_whole(path, content.getvalue(), ArtifactError)


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
