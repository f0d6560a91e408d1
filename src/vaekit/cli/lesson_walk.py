"""The walk through one training step, in a terminal."""

from collections.abc import Sequence
from typing import Final

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from vaekit.lesson import (
    INTRODUCTION,
    NOTATION,
    ROUNDING,
    SKETCH,
    Block,
    Equation,
    Grid,
    Step,
    equation_lines,
)

WIDTH: Final = 80
"""Columns at most: longer lines are hard to read."""
INDENT: Final = 2
_STYLES: Final = {"reason": "dim italic", "result": "bold", "formula": "", "space": ""}


def console() -> Console:
    """A console as wide as the terminal, and not wider than a page."""
    return Console(highlight=False, width=min(WIDTH, Console().width))


def show_walk(to: Console, chosen: Sequence[Grid], steps: Sequence[Step]) -> None:
    """Prints the model, what was chosen, the steps, and what comes after them."""
    to.print("\n[bold]One training step of a VAE, by hand[/]\n")
    to.print(INTRODUCTION, markup=False)
    to.print(Padding(Text(SKETCH, no_wrap=True), (1, 0, 1, INDENT), expand=False))
    to.print(f"{NOTATION} {ROUNDING}", markup=False)
    for grid in chosen:
        to.print(_shown(grid))
    for number, step in enumerate(steps, 1):
        place = f"Step {number} of {len(steps) - 1}." if number < len(steps) else "Afterwards."
        to.print()
        to.rule(Text(f"{place} {step.title}", "bold"), align="left", characters="─")
        to.print(f"\n{step.what}\n", markup=False)
        for block in step.blocks:
            to.print(_shown(block))
        to.print(Text.assemble(("Why it matters. ", "bold"), step.why))
    to.print()


def _shown(block: Block) -> Text | Padding:
    if isinstance(block, str):
        return Text(block)
    if isinstance(block, Grid):
        return Padding(table(block), (0, 0, 0, INDENT), expand=False)
    return Padding(_equations(block), (0, 0, 1, INDENT), expand=False)


def table(grid: Grid) -> Table:
    """Words to the left, numbers to the right, a rule below the headings."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0))
    for index, heading in enumerate(grid.headings):
        justify = "left" if index < grid.words else "right"
        shown.add_column(Text(heading), justify=justify, no_wrap=True)
    for row in grid.rows:
        shown.add_row(*map(Text, row))
    return shown


def _equations(equations: Sequence[Equation]) -> Text:
    lines = (Text(line, _STYLES[role]) for line, role in equation_lines(equations))
    return Text("\n").join(lines)
