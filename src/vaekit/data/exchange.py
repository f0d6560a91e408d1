"""Examples in from a file of the user's, by the file's ending.

    .npy  .npz  .csv  .parquet  .png  .jpg, or a folder of pictures

What comes in has to fit the schema of a trained model; arrays of images may leave out a single
channel, have it last, or be flat.
"""

from pathlib import Path

import numpy as np

from vaekit.data.files.arrays import compact, read_array
from vaekit.data.files.csv_table import read_csv
from vaekit.data.files.places import existing
from vaekit.data.files.row_files import ParquetFile
from vaekit.data.sets.images import SUFFIXES, opened, pictures_in
from vaekit.errors import DataError
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
