"""Latent arithmetic on a trained run, from codes to claims."""

import json
from pathlib import Path
from typing import Any

from vaekit.figures import save
from vaekit.runs import Run
from vaekit.runs.folder import locked, write, write_json
from vaekit.runs.table import markdown
from vaekit.studies.latent_arithmetic.claims import claims, tables
from vaekit.studies.latent_arithmetic.directions import moves
from vaekit.studies.latent_arithmetic.interpolation import between
from vaekit.studies.latent_arithmetic.pictures import between_walks, curves, walks
from vaekit.studies.latent_arithmetic.subject import subject_of
from vaekit.studies.verdict import verdict_table


def measure(run: Run, folder: Path, examples: int = 50, seeds: int = 3) -> list[Path]:
    """Measures a run, draws it, and leaves arithmetic.json; returns the files.

    Args:
        run: A trained run on labelled images.
        folder: Where the files go.
        examples: Test images of each class that are moved.
        seeds: Of the pairs.

    Raises:
        SpecError: The run is of another kind.
        ArtifactError: The folder cannot be written to.
    """
    subject = subject_of(run)
    found: dict[str, Any] = {
        "run": run.recipe.name,
        "latent": int(subject.shown("test", 1).codes.shape[1]),
        "epochs": run.recipe.training.epochs,
        "examples": examples,
        "moves": moves(subject, examples),
        "between": between(subject, seeds),
    }
    with locked(folder):
        write_json(folder / "arithmetic.json", found)
        write(folder / "arithmetic.md", "\n\n".join(arithmetic_blocks(folder).values()) + "\n")
    drawn = {
        "arithmetic_walks": walks(subject),
        "interpolation_walks": between_walks(subject),
        "arithmetic_curves": curves(found),
    }
    return [
        folder / "arithmetic.json",
        folder / "arithmetic.md",
        *(save(figure, folder / f"{name}.png") for name, figure in drawn.items()),
    ]


def arithmetic_blocks(folder: Path) -> dict[str, str]:
    """The tables for a page, by the name of their block."""
    found = json.loads((folder / "arithmetic.json").read_text(encoding="utf-8"))
    named = {name: markdown(rows) for name, rows in tables(found).items()}
    return {**named, "arithmetic verdicts": markdown(verdict_table(claims(found)))}
