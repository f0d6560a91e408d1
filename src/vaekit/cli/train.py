"""`vaekit train`: from a recipe to a trained model, its numbers and its pictures."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vaekit.errors import SpecError

if TYPE_CHECKING:
    from vaekit.recipes import Recipe


def train(
    recipe: Annotated[
        str | None,
        typer.Argument(help="Name of a recipe that comes with vaekit, or a TOML file."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Change a setting; may be repeated."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder of the run; by default runs/<name>.")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Continue the run in this folder.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the resolved recipe and stop.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress bar; a line for each validation.")
    ] = False,
) -> None:
    """Train a recipe, measure the model and draw its pictures.

    The same command continues a run that was stopped. For example:

    vaekit train mnist --set training.epochs=5 --set model.latent_dim=2 --output runs/plane
    """
    from vaekit.cli.report import Reporter
    from vaekit.recipes import to_toml
    from vaekit.runs import fit, prepare
    from vaekit.training import resolve

    if resume is not None and output is not None:
        raise SpecError(
            "A run goes on in its own folder.",
            where="vaekit train --resume with --output",
            remedy="leave --output out",
        )
    asked = _recipe(recipe, settings or [], resume)
    if dry_run:  # whatever lies in the folder
        resolved = asked.model_copy(update={"training": resolve(asked.training)})
        typer.echo(to_toml(resolved), nl=False)
        return
    chosen, folder = prepare(asked, output or resume)
    reporter = Reporter(quiet)
    reporter.announce(chosen, folder)
    with reporter.warnings_shown():
        run = fit(chosen, folder, [reporter])
        reporter.finishing(run)
    reporter.summarise(run)


def _recipe(name: str | None, settings: list[str], resume: Path | None) -> "Recipe":
    from vaekit.recipes import load_recipe, recipe_names
    from vaekit.runs import RunFolder

    if (name is None) == (resume is None):
        raise SpecError(
            "Name either a recipe or, with --resume, the folder of a run.",
            where="vaekit train",
            expected=f"one of {', '.join(recipe_names())}, a TOML file, or --resume FOLDER",
            found="neither" if name is None else "both",
        )
    if resume is None:
        return load_recipe(str(name), settings)
    files = RunFolder(resume)
    files.recipe()  # complains where there is no run
    return load_recipe(files.recipe_file, settings)
