"""Sheets of images that a model decodes, for the fourth and fifth figure.

A cell's sheets are drawn when it has been trained and lie beside its numbers, so that the figures
can be drawn wherever these are.

    <folder>/sheets/<cell>-manifold.png   means of p(x | z) on the unit square, two dimensions
    <folder>/sheets/<cell>-samples.png    means of p(x | z) for z drawn from the prior
"""

from io import BytesIO
from pathlib import Path
from typing import Final, Literal, TypeAlias

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from vaekit.models import VAE
from vaekit.runs.folder import write
from vaekit.studies.aevb.cells import Cell, manifold_cells
from vaekit.studies.aevb.manifold import drawn, manifold

Kind: TypeAlias = Literal["manifold", "samples"]
_SIDE: Final = {"mnist": 20, "frey_faces": 14}
"""Images along the unit square."""
_DRAWN_SIDE: Final = 10


def sheets_of(folder: Path, cell: Cell) -> dict[Kind, Path]:
    """What the figures show of a cell, and where it is once the cell has been trained."""
    if cell not in manifold_cells():
        return {}
    files: dict[Kind, Path] = {}
    if cell.latent == 2:
        files["manifold"] = folder / "sheets" / f"{cell.name}-manifold.png"
    if cell.data == "mnist":
        files["samples"] = folder / "sheets" / f"{cell.name}-samples.png"
    return files


def write_sheets(folder: Path, cell: Cell, model: VAE) -> None:
    """Draws what the figures show of a cell."""
    for kind, file in sheets_of(folder, cell).items():
        if kind == "manifold":
            side = _SIDE[cell.data]
            images = manifold(model, side)
        else:
            side = _DRAWN_SIDE
            images = drawn(model, side**2)
        content = BytesIO()
        Image.fromarray(_joined(images, side)).save(content, "png")
        file.parent.mkdir(parents=True, exist_ok=True)
        write(file, content.getvalue())


def read_sheet(file: Path) -> UInt8[np.ndarray, "height width"]:
    """Grey levels of a sheet."""
    return np.asarray(Image.open(file))


def _joined(
    images: Float[np.ndarray, "n channels height width"], side: int
) -> UInt8[np.ndarray, "rows columns"]:
    """The first channel of side * side images, row by row and without gaps."""
    _, _, height, width = images.shape
    rows = images[:, 0].reshape(side, side, height, width).transpose(0, 2, 1, 3)
    levels = np.rint(255 * rows.clip(0, 1)).astype(np.uint8)
    return levels.reshape(side * height, side * width)
