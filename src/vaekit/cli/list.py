"""`vaekit list`: what there is to choose from, and what was made."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from vaekit.evaluation import Results

WIDE: Final = 200
"""Columns where no terminal says how many there are, so that a row stays a line."""
NARROWEST: Final = 30
"""Columns for a name, so that descriptions stand below each other."""


class Section(StrEnum):
    """What can be listed."""

    RECIPES = "recipes"
    DATA = "data"
    PARTS = "parts"
    RUNS = "runs"


def list_all(
    section: Annotated[
        Section | None, typer.Argument(help="One of these alone; all if absent.")
    ] = None,
    folder: Annotated[Path, typer.Option(help="Where to look for runs.")] = Path("runs"),
) -> None:
    """Show recipes, data sets, parts and runs, a line each."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
    for name in Section if section is None else [section]:
        console.print(f"\n[bold]{name}[/]")
        for heading, rows in _blocks(name, folder):
            if heading:
                console.print(f"\n{escape(heading)}", soft_wrap=True)
            console.print(_table(rows))


def _blocks(section: Section, folder: Path) -> list[tuple[str, list[tuple[str, ...]]]]:
    """What there is, in rows; under headings, where a section has parts."""
    if section is Section.PARTS:
        return _parts()
    rows = {Section.RECIPES: _recipes, Section.DATA: _data, Section.RUNS: lambda: _runs(folder)}
    return [("", rows[section]())]


def _table(rows: list[tuple[str, ...]]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 1))
    table.add_column(no_wrap=True, min_width=NARROWEST)
    for row in rows:
        table.add_row(*map(escape, row))
    return table


def _recipes() -> list[tuple[str, ...]]:
    from vaekit.recipes import load_recipe, recipe_names

    return [(name, load_recipe(name).description) for name in recipe_names()]


def _data() -> list[tuple[str, ...]]:
    from vaekit.data import DATA_SETS

    return [(name, f"{known.title}, {known.shape}") for name, known in DATA_SETS.items()]


def _parts() -> list[tuple[str, list[tuple[str, ...]]]]:
    from vaekit.recipes import parts

    return [
        (setting, [(f"  {choice.kind}", choice.title) for choice in choices])
        for setting, choices in parts().items()
    ]


def _runs(folder: Path) -> list[tuple[str, ...]]:
    from vaekit.errors import VaekitError
    from vaekit.runs import open_run

    rows: list[tuple[str, ...]] = []
    for file in sorted(folder.glob("*/recipe.toml")):
        try:
            run = open_run(file.parent)
            results = run.results or {}
            state = "finished" if run.is_finished else "stopped"
            rows.append((str(file.parent), f"{run.recipe.name}: {state}{_number(results)}"))
        except VaekitError as error:
            rows.append((str(file.parent), f"cannot be read: {error.problem}"))
    return rows or [(str(folder), "no runs here")]


def _number(results: "Results") -> str:
    """What a model is known by: its likelihood, or where it has none, its error."""
    if "nll_nats" in results:
        return f", NLL {results['nll_nats']:.2f} nats"
    return f", MSE {results['mse']:.4g}" if "mse" in results else ""
