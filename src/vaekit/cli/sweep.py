"""`vaekit sweep`: a recipe under every combination of some settings."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vaekit.cli.table import results_columns, shortened, show_table

if TYPE_CHECKING:
    from vaekit.runs.over import Settings
    from vaekit.runs.sweep import Point


def sweep(
    recipe: Annotated[str, typer.Argument(help="Name of a recipe, or a TOML file.")],
    over: Annotated[
        list[str],
        typer.Option(
            metavar="PATH=V1,V2,...", help="Values of a setting; repeat for combinations."
        ),
    ],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Change a setting of all runs."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder of the runs; by default sweeps/<name>.")
    ] = None,
) -> None:
    """Train and measure a recipe under every combination of some settings.

    The same command goes on where it was stopped, and trains only what is new. A run that fails is
    told of in the table and does not stop the others. The table is also written as sweep.csv, rate
    and distortion as sweep.png. For example, a rate-distortion curve:

    vaekit sweep mnist --over objective.beta=0.25,0.5,1,2,4 --set training.epochs=20
    """
    from vaekit.cli.report import Reporter
    from vaekit.recipes import load_recipe
    from vaekit.runs.sweep import sweep as every
    from vaekit.runs.table import write_csv
    from vaekit.training import Listener

    folder = output or Path("sweeps") / load_recipe(recipe, settings or []).name

    def told(chosen: "Settings", number: int, count: int) -> list[Listener]:
        words = ", ".join(map("=".join, chosen.items()))
        typer.echo(f"run {number + 1} of {count}: {words}")
        return [Reporter(quiet=True)]

    points = every(recipe, over, folder, settings or [], told)
    rows = [_row(point) for point in points]
    show_table(rows)
    typer.echo(f"table    {write_csv(folder / 'sweep.csv', rows)}")
    drawn = _drawn(points, folder)
    if drawn is not None:
        typer.echo(f"picture  {drawn}")
    failures = [point.failure for point in points if point.failure is not None]
    if failures:
        typer.echo(f"{len(failures)} of {len(points)} runs failed; the first:", err=True)
        raise failures[0]


def _row(point: "Point") -> dict[str, Any]:
    """What a table says of a combination."""
    results = point.run.results if point.run else None
    problem = {"problem": point.failure.problem} if point.failure else {}
    return {**point.settings, **results_columns(results), **problem}


def _drawn(points: "list[Point]", folder: Path) -> Path | None:
    """Rate against distortion, where models have both."""
    from vaekit.figures import rate_distortion, save

    found = {
        _named(point.settings): (
            results["kl_nats"],
            -results["expected_log_likelihood_nats"],
        )
        for point in points
        if point.run and "kl_nats" in (results := point.run.results or {})
    }
    run = next((point.run for point in points if point.run), None)
    if run is None or not found:
        return None
    spec, dataset = run.recipe.evaluation, run.dataset
    return save(
        rate_distortion(found, f"{spec.split} split of {dataset.name}"), folder / "sweep.png"
    )


def _named(settings: "Settings") -> str:
    """As the columns of the table are called."""
    return ", ".join(f"{shortened(key, list(settings))} {value}" for key, value in settings.items())
