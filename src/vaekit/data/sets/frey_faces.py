"""Frey Faces: 1,965 frames of one face in a video, 28 x 20.

Neighbouring frames are nearly alike. Shuffled before they are divided, a test frame is closer
to its nearest training frame (11 grey levels, root mean square, median) than frames that
follow each other in the video (18), so that memorising is rewarded. By default the end of the
video is kept for validation and test (15 and 21 levels); older papers shuffle.

Reference:
    Roweis, Saul and Hinton (2001), Global Coordination of Local Linear Models
"""

import hashlib
import io
from pathlib import Path
from typing import Literal, final

import numpy as np
from jaxtyping import UInt8
from pydantic import Field

from vaekit.data.checks import checked_rows
from vaekit.data.dataset import Dataset
from vaekit.data.files.arrays import read_array
from vaekit.data.files.download import Unavailable, download
from vaekit.data.files.places import cache_folder, data_folder, write_whole
from vaekit.data.sets.division import divided, division_name, shuffled
from vaekit.errors import DataError
from vaekit.schema import Schema
from vaekit.spec import Spec

MIRROR = "https://cs.nyu.edu/~roweis/data/frey_rawface.mat"
CACHED = Path("frey_faces/frey_rawface.mat")
GIVEN = ("freyfaces/freyfaces.npz", "freyfaces.npz", "frey_rawface.mat")
KNOWN_PIXELS_SHA256 = "2438ba4f0d2a6bd8bac43de756141eaa33c8d248dd613d464bdb1210d9b7af78"


@final
class FreyFacesSpec(Spec):
    """Choices of Frey Faces."""

    kind: Literal["frey_faces"] = "frey_faces"
    order: Literal["chronological", "shuffled"] = Field(
        default="chronological",
        description="Order of the frames when they are divided 1565/200/200.",
    )
    seed: int = Field(default=0, description="Seed of the order 'shuffled'.")

    def load(self) -> Dataset:
        path = _local() or _fetched()
        pixels = _pixels(path)
        schema = Schema(
            name="frey_faces", kind="image", event_shape=(1, 28, 20), dtype="uint8", low=0, high=255
        )
        rows = checked_rows(schema, pixels[:, None], None, where=str(path))
        if self.order == "shuffled":
            rows = shuffled(rows, self.seed)
        splits = divided(rows, 1565, 200, 200)
        name = f"{division_name(splits)} {self.order}"
        # The authors publish no hash, so an unknown one is reported and not refused.
        known = hashlib.sha256(pixels.tobytes()).hexdigest() == KNOWN_PIXELS_SHA256
        source = f"{path}, {'known' if known else 'UNKNOWN'} pixels"
        return Dataset(schema.name, schema, splits, source, name)


def check_here() -> None:
    """Checks the file on this machine, and fetches nothing.

    Raises:
        DataError: Where it is missing or damaged.
    """
    path = _local()
    if path is None:
        raise DataError(
            "frey_faces is not on this machine.",
            expected=f"one of {', '.join(GIVEN)} in VAEKIT_DATA, or {cache_folder() / CACHED}",
            remedy="vaekit data fetch frey_faces",
        )
    _pixels(path)


def _local() -> Path | None:
    folder = data_folder()
    given = [] if folder is None else [folder / name for name in GIVEN]
    return next(filter(Path.is_file, [*given, cache_folder() / CACHED]), None)


def _fetched() -> Path:
    path = cache_folder() / CACHED
    try:
        content = download(MIRROR)
    except Unavailable as reason:
        raise DataError(
            "Frey Faces could not be found or fetched.",
            expected=f"one of {', '.join(GIVEN)} in VAEKIT_DATA, or {path}",
            found=f"{MIRROR}: {reason}",
            remedy="put one of the files into a folder, and the folder into VAEKIT_DATA",
        ) from reason
    _checked(_frames(io.BytesIO(content), where=MIRROR), where=MIRROR)
    write_whole(path, content)
    return path


def _pixels(path: Path) -> UInt8[np.ndarray, "1965 28 20"]:
    pixels = read_array(path, "x") if path.suffix == ".npz" else _frames(path, where=str(path))
    return _checked(pixels, where=str(path))


def _checked(pixels: np.ndarray, where: str) -> UInt8[np.ndarray, "1965 28 20"]:
    if pixels.shape != (1965, 28, 20) or pixels.dtype != np.uint8:
        raise DataError(
            "These are not the Frey Faces.",
            where=where,
            expected="uint8 values of shape (1965, 28, 20)",
            found=f"{pixels.dtype} values of shape {pixels.shape}",
        )
    return pixels


def _frames(file: Path | io.BytesIO, where: str) -> np.ndarray:
    from scipy.io import loadmat

    try:
        return loadmat(file)["ff"].T.reshape(-1, 28, 20)
    except Exception as error:  # loadmat fails in many ways on what is no MATLAB file
        raise DataError(
            "A MATLAB file is damaged, or not that of Frey Faces.",
            where=where,
            expected="a matrix 'ff' of 560 x 1965 bytes",
            found=str(error) or type(error).__name__,
            remedy="remove it, and it is fetched again",
        ) from error
