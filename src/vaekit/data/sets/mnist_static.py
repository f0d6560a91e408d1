"""MNIST as Larochelle drew it: zeros and ones, thrown once, 50,000 / 10,000 / 10,000.

Numbers of the static protocol are of these very images. They are three text files, with 784 zeros
and ones for each image, and are read where a user has them: they are not fetched. The images come
without labels.

Reference:
    Larochelle and Murray (2011), The Neural Autoregressive Distribution Estimator
"""

from pathlib import Path
from typing import Final, Literal, final

import numpy as np
from jaxtyping import UInt8
from pydantic import Field

from vaekit.data.checks import checked_rows
from vaekit.data.dataset import Dataset
from vaekit.data.files.places import cache_folder, data_folder, existing
from vaekit.data.sets.division import division_name
from vaekit.data.splits import InMemorySplit, Split
from vaekit.errors import DataError
from vaekit.schema import Schema
from vaekit.spec import Spec

FILES: Final = {
    "train": "binarized_mnist_train.amat",
    "validation": "binarized_mnist_valid.amat",
    "test": "binarized_mnist_test.amat",
}
SIZES = {"train": 50_000, "validation": 10_000, "test": 10_000}
PIXELS: Final = 784


@final
class MnistStaticSpec(Spec):
    """Choices of the statically binarised MNIST."""

    kind: Literal["mnist_static"] = "mnist_static"
    path: Path | None = Field(
        default=None, description="Folder of the three files; by default one in VAEKIT_DATA."
    )

    def load(self) -> Dataset:
        folder = _folder() if self.path is None else existing(self.path, "folder")
        schema = Schema(
            name="mnist_static",
            kind="image",
            event_shape=(1, 28, 28),
            dtype="uint8",
            low=0,
            high=1,
            binarized_by="Larochelle",
        )
        splits: dict[str, Split] = {}
        for name, file in FILES.items():
            rows = checked_rows(schema, _images(folder / file, SIZES[name]), None, file)
            splits[name] = InMemorySplit(rows.x)
        return Dataset(schema.name, schema, splits, str(folder), division_name(splits))


def check_here() -> None:
    """Checks the files on this machine.

    Raises:
        DataError: Where they are missing or damaged.
    """
    folder = _folder()
    for name, file in FILES.items():
        _images(folder / file, SIZES[name])


def _folder() -> Path:
    given = data_folder()
    folders = [] if given is None else [given / "mnist_static", given / "binarized_mnist", given]
    folders.append(cache_folder() / "mnist_static")
    for folder in folders:
        if any((folder / file).is_file() for file in FILES.values()):
            return folder
    raise DataError(
        "The statically binarised MNIST is not on this machine, and is not fetched.",
        expected=f"{', '.join(FILES.values())} in VAEKIT_DATA, or in {folders[-1]}",
        remedy="put the files there, or draw once with data.kind = 'mnist' and "
        "transform.protocol = 'static'; those numbers are of another draw",
    )


def _images(path: Path, count: int) -> UInt8[np.ndarray, "rows 1 28 28"]:
    try:
        characters = np.frombuffer(existing(path).read_bytes(), np.uint8)
    except OSError as error:
        raise DataError("A file cannot be read.", where=path, found=error.strerror) from error
    values = characters[characters > ord(" ")] - ord("0")
    if len(values) != count * PIXELS or values.max(initial=0) > 1:
        wrong = int((values > 1).sum())
        raise DataError(
            "This is not the file of the statically binarised MNIST.",
            where=path,
            expected=f"{count:,} x {PIXELS} zeros and ones, with space between",
            found=f"{len(values):,} characters, {wrong:,} of them neither 0 nor 1",
            remedy="fetch the file again; data of your own goes with data.kind = 'arrays'",
        )
    return values.reshape(count, 1, 28, 28)
