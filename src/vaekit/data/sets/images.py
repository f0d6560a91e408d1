"""A folder of pictures."""

from pathlib import Path
from typing import Literal, final

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError
from pydantic import Field, PositiveInt

from vaekit.data.checks import checked_rows
from vaekit.data.dataset import Dataset
from vaekit.data.files.csv_table import read_csv
from vaekit.data.files.places import existing
from vaekit.data.sets.attributes import AttributedSpec
from vaekit.data.sets.division import cut, division_name
from vaekit.errors import DataError, SpecError
from vaekit.schema import Schema

SUFFIXES = (".png", ".jpg", ".jpeg")
EIGHT_BIT_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr")


@final
class ImagesSpec(AttributedSpec):
    """Choices of a folder of PNG and JPEG files, searched with its subfolders."""

    kind: Literal["images"] = "images"
    path: Path = Field(description="The folder.")
    name: str = Field(default="own images", description="What the data set is called.")
    color: Literal["grey", "rgb"] = Field(
        default="grey", description="What pictures are turned into."
    )
    size: tuple[PositiveInt, PositiveInt] | None = Field(
        default=None, description="(height, width) of every example; by default that of the files."
    )
    resize: Literal["refuse", "crop", "stretch"] = Field(
        default="refuse",
        description="What happens to other sizes: an error, scaled and cut to the middle, "
        "or scaled without keeping proportions.",
    )
    labels: bool = Field(default=False, description="Whether each subfolder is a class.")
    attributes_path: Path | None = Field(
        default=None,
        description="A .csv file with the columns `file` (a path below the folder) and the "
        "attributes; a line for every picture.",
    )
    validation: float = Field(default=0.1, ge=0, lt=1, description="Share kept for validation.")
    test: float = Field(default=0.1, ge=0, lt=1, description="Share kept for test.")
    seed: int = Field(default=0, description="Seed of the order in which shares are cut off.")

    def load(self) -> Dataset:
        folder = existing(self.path, "folder")
        paths = pictures_in(folder)
        x = self._pixels(paths)
        labels, classes = _classes(folder, paths) if self.labels else (None, None)
        known, known_in = self._attributes_of(folder, paths), str(self.attributes_path)
        schema = Schema(
            name=self.name,
            kind="image",
            event_shape=x.shape[1:],
            dtype="uint8",
            low=0,
            high=255,
            num_classes=classes,
            attributes=self.described([] if known is None else [(known_in, known)]),
        )
        rows = checked_rows(schema, x, labels, str(folder), known)
        splits = cut(rows, self.validation, self.test, self.seed, str(folder))
        return Dataset(self.name, schema, splits, str(folder), division_name(splits))

    def _attributes_of(self, folder: Path, paths: list[Path]) -> np.ndarray | None:
        if not self.attributes:
            return None
        if self.attributes_path is None:
            raise SpecError(
                "Pictures do not say their attributes.",
                where="data.attributes",
                expected="data.attributes_path, a .csv file with a column `file`",
                found="no file",
            )
        table = read_csv(self.attributes_path)
        lines = {name: line for line, name in enumerate(table.texts("file"))}
        names = [path.relative_to(folder).as_posix() for path in paths]
        missing = [name for name in names if name not in lines]
        if missing:
            raise DataError(
                "Nothing is known of a picture.",
                where=self.attributes_path,
                expected=f"a line for each of {len(names)} pictures",
                found=f"none for {missing[0]}",
                remedy="add it, or take the picture away",
            )
        return table.values(self.attributes)[[lines[name] for name in names]]

    def _pixels(self, paths: list[Path]) -> UInt8[np.ndarray, "rows channels height width"]:
        first = opened(paths[0], self.color)
        height, width = self.size or (first.height, first.width)
        channels = len(first.getbands())
        x = np.empty((len(paths), height, width, channels), np.uint8)
        for row, path in enumerate(paths):
            image = self._fitted(opened(path, self.color), (width, height), path, paths[0])
            x[row] = np.asarray(image).reshape(height, width, channels)
        return np.moveaxis(x, -1, 1)

    def _fitted(
        self, image: Image.Image, size: tuple[int, int], path: Path, first: Path
    ) -> Image.Image:
        if image.size == size:
            return image
        if self.size is None or self.resize == "refuse":
            wanted = f"as {first.name}" if self.size is None else "by data.size"
            raise DataError(
                "Pictures have several sizes.",
                where=path,
                expected=f"{size[1]} x {size[0]} (height x width), {wanted}",
                found=f"{image.height} x {image.width}",
                remedy="set data.size = [height, width] and data.resize = 'crop' or 'stretch'",
            )
        if self.resize == "crop":
            return ImageOps.fit(image, size, Image.Resampling.LANCZOS)
        return image.resize(size, Image.Resampling.LANCZOS)


def pictures_in(folder: Path) -> list[Path]:
    """The pictures below a folder, in the order of their paths."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    paths = sorted((path for path in found if not path.name.startswith(".")), key=Path.as_posix)
    if not paths:
        raise DataError(
            "There are no pictures in this folder.",
            where=folder,
            expected=f"files that end in {', '.join(SUFFIXES)}",
            remedy="check the path",
        )
    return paths


def _classes(folder: Path, paths: list[Path]) -> tuple[np.ndarray, int]:
    names = [path.relative_to(folder).parts[0] for path in paths]
    for name, path in zip(names, paths, strict=True):
        if name == path.name:
            raise DataError(
                "A picture is in no class.",
                where=path,
                expected=f"a subfolder of {folder} for every class",
                remedy="move it into one, or set data.labels = false",
            )
    classes, labels = np.unique(names, return_inverse=True)
    return labels, len(classes)


def opened(path: Path, color: str) -> Image.Image:
    """A picture, upright, as 8-bit "grey" or "rgb"."""
    try:
        with Image.open(path) as image:
            image.load()
        upright = ImageOps.exif_transpose(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(
            "A picture cannot be read.",
            where=path,
            expected="a whole PNG or JPEG file",
            found="another kind of file" if isinstance(error, UnidentifiedImageError) else error,
            remedy="replace or remove it",
        ) from error
    if image.mode not in EIGHT_BIT_MODES:
        raise DataError(
            "A picture has values that do not fit into 8 bits.",
            where=path,
            expected="values from 0 to 255",
            found=f"mode {image.mode}",
            remedy="convert it, or use kind = 'arrays', which keeps 16 bits",
        )
    return upright.convert("L" if color == "grey" else "RGB")
