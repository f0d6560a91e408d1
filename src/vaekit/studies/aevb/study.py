"""The study of AEVB, from cells to figures, tables and the page."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from vaekit.figures import save
from vaekit.runs.folder import locked, write, write_json
from vaekit.studies.aevb.cells import FINISHED, Cell, Part, cells_of, manifold_cells
from vaekit.studies.aevb.findings import DATA_NAMES, Findings, millions
from vaekit.studies.aevb.grid import Told, train_cells
from vaekit.studies.aevb.pictures import bound_curves, likelihood_curves, side_by_side
from vaekit.studies.aevb.sheets import Kind, read_sheet, sheets_of
from vaekit.studies.aevb.tables import BENCHMARK, blocks
from vaekit.studies.aevb.train import CURVE_IMAGES, read_cell
from vaekit.studies.page import fill

PARTS: Final[tuple[Part, ...]] = ("figure2", "figure3", "manifolds", "starts")
QUICK_SAMPLES: Final = 100_000
_QUICK_IMAGES: Final = 500


def run_study(
    folder: Path,
    parts: Sequence[Part] = PARTS,
    samples: int = FINISHED,
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
    """The fourth and fifth figure, of the sheets that are there."""
    shown: dict[Kind, tuple[str, str]] = {
        "manifold": (
            "figure4.png",
            "Means of p(x|z) on the unit square, through the inverse Gaussian CDF",
        ),
        "samples": ("figure5.png", "Means of p(x|z) for z ~ p(z), seed 0, not picked"),
    }
    files = []
    for kind, (name, title) in shown.items():
        sheets = {
            _name(cell, folder): read_sheet(file)
            for cell in manifold_cells()
            if (file := sheets_of(folder, cell).get(kind)) and file.is_file()
        }
        if sheets:
            files.append(save(side_by_side(sheets, title, quick), folder / name))
    return files


def _name(cell: Cell, folder: Path) -> str:
    """What a model is, and how many samples it has seen."""
    found = read_cell(folder, cell)
    after = f", {millions(found['samples'])} samples" if found else ""
    return f"{DATA_NAMES[cell.data]} z{cell.latent}{after}"


def _is_quick(folder: Path) -> bool:
    file = folder / "protocol.json"
    return file.is_file() and bool(json.loads(file.read_text(encoding="utf-8"))["quick"])
