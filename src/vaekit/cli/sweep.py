"""`vaekit sweep`: a recipe under every combination of some settings."""

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

if TYPE_CHECKING:
    from vaekit.runs.sweep import Point, Settings

COLUMNS: Final = {
    "nll_nats": ("NLL", 1, ".2f"),
    "elbo_nats": ("-ELBO", -1, ".2f"),
    "kl_nats": ("rate KL", 1, ".2f"),
    "expected_log_likelihood_nats": ("distortion", -1, ".2f"),
    "active_units": ("active", 1, "d"),
    "mse": ("MSE", 1, ".4g"),
    "training_seconds": ("seconds", 1, ".0f"),
}


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

    The same command goes on where it was stopped, and trains only what is new. The table is also
    written as sweep.csv, rate and distortion as sweep.png. For example, a rate-distortion curve:

    vaekit sweep mnist --over objective.beta=0.25,0.5,1,2,4 --set training.epochs=20
    """
    from vaekit.cli.report import Reporter
    from vaekit.recipes import load_recipe
    from vaekit.runs.sweep import sweep as every
    from vaekit.training import Listener

    folder = output or Path("sweeps") / load_recipe(recipe, settings or []).name

    def told(chosen: "Settings", number: int, count: int) -> list[Listener]:
        words = ", ".join(map("=".join, chosen.items()))
        typer.echo(f"run {number + 1} of {count}: {words}")
        return [Reporter(quiet=True)]

    points = every(recipe, over, folder, settings or [], told)
    rows = [_row(point) for point in points]
    _show(rows)
    (folder / "sweep.csv").write_text(_csv(rows), encoding="utf-8")
    typer.echo(f"table    {folder / 'sweep.csv'}")
    drawn = _drawn(points, folder)
    if drawn is not None:
        typer.echo(f"picture  {drawn}")


def _row(point: "Point") -> dict[str, Any]:
    results = point.run.results or {}
    found = {key: results[key] for key in COLUMNS if key in results}
    return {**point.settings, **found}


def _show(rows: list[dict[str, Any]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    keys = list(dict.fromkeys(key for row in rows for key in row))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for key in keys:
        table.add_column(escape(COLUMNS[key][0] if key in COLUMNS else key), justify="right")
    for row in rows:
        table.add_row(*(escape(_shown(key, row.get(key))) for key in keys))
    Console(highlight=False).print(table)


def _shown(key: str, value: Any) -> str:
    if key not in COLUMNS:
        return str(value)
    _, sign, form = COLUMNS[key]
    return "" if value is None else format(sign * value, form)


def _csv(rows: list[dict[str, Any]]) -> str:
    keys = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, keys, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _drawn(points: "list[Point]", folder: Path) -> Path | None:
    """Rate against distortion, where models have both."""
    from vaekit.figures import rate_distortion, save

    found = {
        ", ".join(map("=".join, point.settings.items())): (
            results["kl_nats"],
            -results["expected_log_likelihood_nats"],
        )
        for point in points
        if "kl_nats" in (results := point.run.results or {})
    }
    if not found:
        return None
    run = points[0].run
    spec, dataset = run.recipe.evaluation, run.dataset
    return save(
        rate_distortion(found, f"{spec.split} split of {dataset.name}"), folder / "sweep.png"
    )
