"""one_step.md: the walk of `vaekit lesson step`, as a page."""

from typing import Any

from lesson_pages.example import PARAMETERS, SETTING
from lesson_pages.fold import fold
from vaekit.lesson import (
    INTRODUCTION,
    NOTATION,
    ROUNDING,
    SKETCH,
    Block,
    Grid,
    equation_lines,
    given,
    markdown_grid,
    walk,
)


def numbers() -> dict[str, Any]:
    """Every step, as the page shows it."""
    steps = walk(PARAMETERS, SETTING)
    places = [f"Step {n}. " for n in range(1, len(steps))] + ["Afterwards. "]
    return {
        "introduction": INTRODUCTION,
        "sketch": SKETCH,
        "notation": NOTATION,
        "rounding": ROUNDING,
        "given": [markdown_grid(grid) for grid in given(PARAMETERS, SETTING)],
        "steps": [
            {
                "title": place + step.title,
                "what": step.what,
                "blocks": [_text(block) for block in step.blocks],
                "why": step.why,
            }
            for place, step in zip(places, steps, strict=True)
        ],
    }


def _text(block: Block) -> str:
    """A part of a step, in Markdown."""
    if isinstance(block, str):
        return fold(block)
    if isinstance(block, Grid):
        return markdown_grid(block)
    return "```\n" + "\n".join(line for line, _ in equation_lines(block)) + "\n```"
