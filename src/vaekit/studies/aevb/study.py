"""The study of AEVB, from cells to figures, tables and the page."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from vaekit.figures import save
from vaekit.runs.folder import locked, write, write_json
from vaekit.studies.aevb.cells import Cell, Part, cells_of, manifold_cells
from vaekit.studies.aevb.findings import DATA_NAMES, Findings, millions
from vaekit.studies.aevb.grid import Told, train_cells
from vaekit.studies.aevb.manifold import drawn, manifold
from vaekit.studies.aevb.pictures import bound_curves, likelihood_curves, mosaics
from vaekit.studies.aevb.tables import BENCHMARK, blocks
from vaekit.studies.aevb.train import CURVE_IMAGES, read_cell, trained_model
from vaekit.studies.page import fill

PARTS: Final[tuple[Part, ...]] = ("figure2", "figure3", "manifolds", "starts")
QUICK_SAMPLES: Final = 100_000
_QUICK_IMAGES: Final = 500
_MANIFOLD_SIDE: Final = {"mnist": 20, "frey_faces": 14}
_SAMPLES: Final = 100


def run_study(
    folder: Path,
    parts: Sequence[Part] = PARTS,
    samples: int = 10_000_000,
    seeds: int = 1,
    jobs: int = 1,
    quick: bool = False,
    told: Told = lambda cell, found: None,
) -> None:
    """Trains every cell that is missing or too short.

    Args:
        folder: Of the study.
        parts: What of it.
        samples: For each cell.
        seeds: How many.
        jobs: Processes, a thread each.
        quick: A hundred thousand samples and fewer cells; the folder is marked.
        told: Told when a cell is there.

    Raises:
        ArtifactError: Another process works in the folder, or it cannot be written to.
        Interrupted: SIGINT or SIGTERM arrived; the same call goes on.
    """
    wanted = list(dict.fromkeys(c for part in parts for c in cells_of(part, seeds, quick)))
    length = min(samples, QUICK_SAMPLES) if quick else samples
    with locked(folder):
        write_json(folder / "protocol.json", {"quick": quick or _is_quick(folder)})
        images = _QUICK_IMAGES if quick else CURVE_IMAGES
        train_cells(wanted, folder, length, jobs, images, told)


def report(
    folder: Path, page: Path | None = None, benchmark: Path = BENCHMARK
) -> dict[str, list[Path]]:
    """Draws and judges what is there; returns the files.

    Args:
        folder: Of the study.
        page: A Markdown file whose blocks are filled.
        benchmark: JSON of `vaekit benchmark mnist`.

    Raises:
        DataError: The page has no place for a table.
    """
    found, quick = Findings(folder), _is_quick(folder)
    made = blocks(folder, benchmark)
    text = "\n\n".join(f"## {name}\n\n{table}" for name, table in made.items()) + "\n"
    write(folder / "tables.md", text)
    if page is not None:
        fill(page, made)
    pictures: list[Path] = []
    if list(found.pairs("aevb", "wake_sleep")):
        pictures.append(save(bound_curves(found, quick), folder / "figure2.png"))
    if found.of(likelihood=True):
        pictures.append(save(likelihood_curves(found, quick), folder / "figure3.png"))
    pictures += _manifolds(folder, quick)
    tables = [folder / "tables.md", *([] if page is None else [page])]
    return {"pictures": pictures, "tables": tables}


def _manifolds(folder: Path, quick: bool) -> list[Path]:
    """The fourth and fifth figure, of the models that are here.

    A figure that is there stays where this machine lacks a model that it may show.
    """
    models = {cell: trained_model(cell, folder) for cell in manifold_cells()}
    here: dict[Cell, Any] = {cell: model for cell, model in models.items() if model is not None}
    files = []
    planes = {
        name: (manifold(model, side), side)
        for cell, model in here.items()
        if cell.latent == 2
        for name, side in [(_name(cell, folder), _MANIFOLD_SIDE[cell.data])]
    }
    flat = [cell for cell in models if cell.latent == 2]
    if planes and _may_draw(folder / "figure4.png", flat, here, folder):
        title = "Means of p(x|z) on the unit square, through the inverse Gaussian CDF"
        files.append(save(mosaics(planes, title, len(planes), quick), folder / "figure4.png"))
    drawings = {
        _name(cell, folder): (drawn(model, _SAMPLES), 10)
        for cell, model in sorted(here.items(), key=lambda item: item[0].latent)
        if cell.data == "mnist"
    }
    digits = [cell for cell in models if cell.data == "mnist"]
    if drawings and _may_draw(folder / "figure5.png", digits, here, folder):
        title = "Means of p(x|z) for z ~ p(z), seed 0, not picked"
        files.append(save(mosaics(drawings, title, len(drawings), quick), folder / "figure5.png"))
    return files


def _may_draw(file: Path, cells: list[Cell], here: dict[Cell, Any], folder: Path) -> bool:
    """Whether a figure loses nothing: of every cell with numbers, the model is here."""
    missing = [cell for cell in cells if read_cell(folder, cell) and cell not in here]
    return not (missing and file.is_file())


def _name(cell: Cell, folder: Path) -> str:
    """What a model is, and how many samples it has seen."""
    found = read_cell(folder, cell)
    after = f", {millions(found['samples'])} samples" if found else ""
    return f"{DATA_NAMES[cell.data]} z{cell.latent}{after}"


def _is_quick(folder: Path) -> bool:
    file = folder / "protocol.json"
    return file.is_file() and bool(json.loads(file.read_text(encoding="utf-8"))["quick"])
