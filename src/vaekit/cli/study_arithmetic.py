"""`vaekit study arithmetic`: what directions and ways in a latent space do, measured."""

from pathlib import Path
from typing import Annotated

import typer


def arithmetic(
    run: Annotated[Path, typer.Argument(help="Folder of a trained run on labelled images.")],
    examples: Annotated[int, typer.Option(min=1, help="Test images of each class.")] = 50,
    seeds: Annotated[int, typer.Option(min=1, help="Of the pairs of digits.")] = 3,
    output: Annotated[
        Path | None, typer.Option(help="Folder of numbers and figures; by default in the run.")
    ] = None,
    page: Annotated[
        Path | None, typer.Option(help="A Markdown file whose marked tables are filled.")
    ] = None,
) -> None:
    """Move codes along thickness and slant, and walk between digits by lines and arcs.

    Attributes are read off the pixels, classes off a small classifier that is trained once. For
    example:

    vaekit study arithmetic runs/mnist
    """
    from vaekit.runs import open_run
    from vaekit.studies import fill
    from vaekit.studies.latent_arithmetic import arithmetic_blocks, measure

    folder = output or run / "arithmetic"
    files = measure(open_run(run), folder, examples, seeds)
    if page is not None:
        files.append(fill(page, arithmetic_blocks(folder)))
    for file in files:
        kind = "picture" if file.suffix == ".png" else "table"
        typer.echo(f"{kind:<9}{file}")
