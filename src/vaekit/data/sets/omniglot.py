"""OMNIGLOT: characters of many alphabets, each drawn once by twenty people.

The published pictures have 105 x 105 pixels, ink or none. Here they have 28 x 28: a pixel is the
share of ink on its part of the sheet, 3.75 x 3.75 pixels of the original, exactly, rounded to
1/255. Classes are characters. People are kept apart: of every alphabet drawers 1 to 14 train, 15
and 16 validate and 17 to 20 test, so that every character was seen and no hand was.

Published likelihoods are of other pictures: those that Burda et al. made 28 x 28 in a way they do
not state (`chardata.mat`), divided without regard to hands. `source = "chardata"` reads that file
where a user has it.

References:
    Lake, Salakhutdinov and Tenenbaum (2015), Human-level concept learning through
    probabilistic program induction, https://github.com/brendenlake/omniglot
    Burda, Grosse and Salakhutdinov (2015), Importance Weighted Autoencoders,
    https://arxiv.org/abs/1509.00519 (chardata.mat)
"""

import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Literal, NamedTuple, final

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image
from pydantic import Field

from vaekit.data.checks import checked_rows
from vaekit.data.dataset import Dataset
from vaekit.data.files.download import Unavailable, download
from vaekit.data.files.places import cache_folder, data_folder, write_whole
from vaekit.data.sets.division import divided, division_name, shuffled
from vaekit.data.splits import InMemorySplit, Split
from vaekit.errors import DataError
from vaekit.schema import Schema
from vaekit.spec import Spec

MIRROR: Final = "https://raw.githubusercontent.com/brendenlake/omniglot/master/python/"
FILES: Final[Mapping[str, tuple[str, ...]]] = {
    "small": ("images_background_small1.zip", "images_background_small2.zip"),
    "full": ("images_background.zip", "images_evaluation.zip"),
}
KNOWN_SHA256: Final = {
    "images_background_small1.zip": "f38eb80f801274ac2b4dff5b24289016"
    "bfaba4a7d5bb50deebf27104ad6cb8a4",
    "images_background_small2.zip": "3ccaa407515a8778e5d0861875af38b1"
    "7e418f301ad5bb3b5a6b65d901a41c7f",
}
CHARDATA: Final = "chardata.mat"
CHARDATA_SIZES = (23_000, 1_345, 8_070)
"""The last of the training images, after shuffling, are for validation."""
DRAWERS: Final = {"train": range(1, 15), "validation": range(15, 17), "test": range(17, 21)}
WIDE, NARROW = 105, 28
_PICTURE = re.compile(r"[^/]+/(?P<alphabet>[^/]+)/(?P<character>[^/]+)/[^/]*_(?P<drawer>\d\d)\.png")


@final
class OmniglotSpec(Spec):
    """Choices of OMNIGLOT."""

    kind: Literal["omniglot"] = "omniglot"
    source: Literal["small", "full", "chardata"] = Field(
        default="small",
        description="The two small background sets (242 characters), all 1,623 characters, or the "
        "28 x 28 pictures of Burda et al. in chardata.mat, which is not fetched.",
    )
    seed: int = Field(default=0, description="Seed of the validation images of 'chardata'.")

    def load(self) -> Dataset:
        if self.source == "chardata":
            return _chardata(self.seed)
        paths = [_local(name) or _fetched(name) for name in FILES[self.source]]
        drawings = _drawings(paths)
        classes = sorted({drawing.character for drawing in drawings})
        number = {character: index for index, character in enumerate(classes)}
        schema = _schema("uint8", 255, len(classes))
        splits: dict[str, Split] = {}
        for name, drawers in DRAWERS.items():
            chosen = [drawing for drawing in drawings if drawing.drawer in drawers]
            x = np.stack([shrunk(drawing.ink) for drawing in chosen])[:, None]
            labels = np.array([number[drawing.character] for drawing in chosen])
            rows = checked_rows(schema, x, labels, where=str(paths[0].parent))
            splits[name] = InMemorySplit(rows.x, rows.labels)
        told = ", ".join(f"{path} ({_familiarity(path)})" for path in paths)
        return Dataset(schema.name, schema, splits, told, f"{division_name(splits)} by drawer")


def check_here() -> None:
    """Checks the small files on this machine, and fetches nothing.

    Raises:
        DataError: Where they are missing or damaged.
    """
    found = {name: _local(name) for name in FILES["small"]}
    if None in found.values():
        raise DataError(
            "omniglot is not on this machine.",
            expected=f"{' and '.join(found)} in VAEKIT_DATA, or in {cache_folder() / 'omniglot'}",
            remedy="vaekit data fetch omniglot",
        )
    _drawings([path for path in found.values() if path is not None])


# -- files ---------------------------------------------------------------------------------------


def _local(name: str) -> Path | None:
    given = data_folder()
    folders = [] if given is None else [given / "omniglot", given / "omniglot_small", given]
    candidates = (folder / name for folder in (*folders, cache_folder() / "omniglot"))
    return next(filter(Path.is_file, candidates), None)


def _fetched(name: str) -> Path:
    path = cache_folder() / "omniglot" / name
    try:
        content = download(MIRROR + name)
    except Unavailable as reason:
        raise DataError(
            "OMNIGLOT could not be found or fetched.",
            expected=f"{name} in VAEKIT_DATA, or {path}",
            found=f"{MIRROR}{name}: {reason}",
            remedy="put the file into a folder omniglot, and its parent into VAEKIT_DATA",
        ) from reason
    list(_read(io.BytesIO(content), where=MIRROR + name))
    write_whole(path, content)
    return path


def _familiarity(path: Path) -> str:
    # The authors publish no hash, so an unknown one is reported and not refused.
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    return "known file" if found == KNOWN_SHA256.get(path.name) else "UNKNOWN file"


class Drawing(NamedTuple):
    """One character by one hand."""

    character: str
    """Alphabet and character, as the folders are called."""
    drawer: int
    ink: Float32[np.ndarray, "height width"]
    """1 where there is ink, else 0."""


def _drawings(paths: list[Path]) -> list[Drawing]:
    """Every drawing once, in an order that files have no say in."""
    found = {
        (drawing.character, drawing.drawer): drawing
        for path in paths
        for drawing in _read(path, where=str(path))
    }
    drawings = [found[key] for key in sorted(found)]
    people = {drawing.drawer for drawing in drawings}
    if people != {drawer for drawers in DRAWERS.values() for drawer in drawers}:
        raise DataError(
            "These are not the drawings of OMNIGLOT.",
            where=", ".join(map(str, paths)),
            expected="pictures alphabet/character/number_drawer.png, drawers 01 to 20",
            found=f"drawers {sorted(people)}" if people else "no such picture",
            remedy="fetch the files again from https://github.com/brendenlake/omniglot",
        )
    return drawings


def _read(file: Path | io.BytesIO, where: str) -> Iterator[Drawing]:
    try:
        with zipfile.ZipFile(file) as archive:
            for name in archive.namelist():
                if match := _PICTURE.fullmatch(name):
                    character = f"{match['alphabet']}/{match['character']}"
                    ink = _ink(archive.read(name))
                    yield Drawing(character, int(match["drawer"]), ink)
    except (zipfile.BadZipFile, zlib.error, OSError, SyntaxError, ValueError, EOFError) as error:
        raise DataError(
            "A file of OMNIGLOT is damaged, or another one.",
            where=where,
            expected=f"a .zip of pictures of {WIDE} x {WIDE} pixels",
            found=str(error) or type(error).__name__,
            remedy="remove it, and it is fetched again",
        ) from error


def _ink(png: bytes) -> Float32[np.ndarray, "height width"]:
    with Image.open(io.BytesIO(png)) as image:
        pixels = np.asarray(image.convert("1"))
    if pixels.shape != (WIDE, WIDE):
        raise ValueError(f"a picture of {pixels.shape[0]} x {pixels.shape[1]} pixels")
    return (~pixels).astype(np.float32)  # ink is black


def shrunk(ink: Float32[np.ndarray, "wide wide"]) -> UInt8[np.ndarray, "narrow narrow"]:
    """The share of ink on each part of the sheet, in 255ths."""
    grey = _SHARES @ ink @ _SHARES.T
    return np.rint(255 * grey).astype(np.uint8)


def _shares() -> Float32[np.ndarray, "narrow wide"]:
    """How much of each pixel of the original a pixel covers, along one side."""
    finer = 4  # 105 x 4 = 28 x 15
    points = np.repeat(np.eye(WIDE, dtype=np.float32), finer, axis=0)
    return points.reshape(NARROW, -1, WIDE).mean(1)


_SHARES = _shares()

# -- the file of Burda et al. --------------------------------------------------------------------


def _chardata(seed: int) -> Dataset:
    path = _local(CHARDATA)
    if path is None:
        raise DataError(
            "chardata.mat is read from this machine only, and is not here.",
            where="data.source = 'chardata'",
            expected=f"{CHARDATA} in VAEKIT_DATA, or in {cache_folder() / 'omniglot'}",
            remedy="put the file of https://github.com/yburda/iwae there, or use source = 'small'",
        )
    train, test = _matrices(path)
    schema = _schema("float32", 1, None)
    rows = shuffled(checked_rows(schema, train, None, str(path)), seed)
    kept, validated, tested = CHARDATA_SIZES
    splits = divided(rows, kept, validated, 0)
    splits |= divided(checked_rows(schema, test, None, str(path)), 0, 0, tested)
    return Dataset(schema.name, schema, splits, str(path), f"{division_name(splits)} chardata")


def _matrices(path: Path) -> list[Float32[np.ndarray, "rows 1 28 28"]]:
    from scipy.io import loadmat

    try:
        found = loadmat(path, variable_names=["data", "testdata"])
        columns = [np.asarray(found[name], np.float32) for name in ("data", "testdata")]
    except Exception as error:  # loadmat fails in many ways on what is no MATLAB file
        raise DataError(
            "A MATLAB file is damaged, or not that of Burda et al.",
            where=path,
            expected="matrices 'data' and 'testdata'",
            found=str(error) or type(error).__name__,
        ) from error
    kept, validated, tested = CHARDATA_SIZES
    shapes, expected = [x.shape for x in columns], [(784, kept + validated), (784, tested)]
    if shapes != expected:
        raise DataError(
            "These are not the images of Burda et al.",
            where=path,
            expected=f"data and testdata of shapes {expected}",
            found=shapes,
        )
    # A column is an image, and goes down its columns in turn.
    return [x.T.reshape(-1, 1, NARROW, NARROW).swapaxes(2, 3) for x in columns]


def _schema(dtype: Literal["uint8", "float32"], high: float, classes: int | None) -> Schema:
    shape = (1, NARROW, NARROW)
    return Schema(
        name="omniglot",
        kind="image",
        event_shape=shape,
        dtype=dtype,
        low=0,
        high=high,
        num_classes=classes,
    )
