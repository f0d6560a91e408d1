"""`vaekit search`: good settings of a recipe, found on the validation split."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from vaekit.runs.question import Question
    from vaekit.runs.study import Tried
    from vaekit.training import Listener


def search(
    recipe: Annotated[str, typer.Argument(help="Name of a recipe, or a TOML file.")],
    over: Annotated[
        list[str],
        typer.Option(
            metavar="PATH=LOW..HIGH[:log]|V1,V2,...", help="A setting to search; repeat for more."
        ),
    ],
    trials: Annotated[int, typer.Option(min=1, help="How many there are in the end.")] = 20,
    objective: Annotated[
        str, typer.Option(help="The result that decides, of the validation split.")
    ] = "elbo_nats",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Change a setting of all trials."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder of the trials; by default searches/<name>.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of what is tried; training keeps its own.")] = 0,
    prune: Annotated[
        bool, typer.Option(help="Give up trials whose validation bound is below the median.")
    ] = True,
) -> None:
    """Search good settings of a recipe, judged on the validation split alone.

    Needs the extra search (Optuna). The same command goes on where it was stopped; with more
    --trials it goes further. The best recipe is written as best.toml, the table as search.csv,
    a picture as search.png. For example:

    vaekit search mnist --over training.optimizer.learning_rate=1e-4..1e-2:log
    --over model.latent_dim=8..64 --over model.encoder.activation=gelu,gated
    """
    from vaekit.cli.report import Reporter
    from vaekit.runs.question import Question
    from vaekit.runs.search import search as run_search
    from vaekit.runs.search import search_folder

    question = Question(recipe, over, objective, settings or [], seed, prune)
    folder = output or search_folder(question)

    def told(number: int, chosen: dict[str, str], count: int) -> "list[Listener]":
        words = ", ".join(map("=".join, chosen.items()))
        typer.echo(f"trial {number}, {number + 1} of {count}: {words}")
        return [Reporter(quiet=True)]

    _show(question, folder, run_search(question, folder, trials, told))


def _show(question: "Question", folder: Path, tried: "list[Tried]") -> None:
    from vaekit.cli.table import show_table
    from vaekit.runs.search import best_of, search_rows

    hidden = ("folder", "reason", "last_bound")
    rows = search_rows(folder, question, tried)
    show_table([{key: row[key] for key in row if key not in hidden} for row in rows])
    for one in tried:
        if one.reason:
            typer.echo(f"trial {one.number} failed: {one.reason}")
    typer.echo(f"table    {folder / 'search.csv'}")
    drawn = _drawn(question, folder, tried)
    if drawn is not None:
        typer.echo(f"picture  {drawn}")
    best = best_of(question, tried)
    if best is None:
        typer.echo("no trial came to its end, so there is no best.toml")
    else:
        words = ", ".join(map("=".join, best.settings.items()))
        typer.echo(f"best     {folder / 'best.toml'}: trial {best.number}, {words}")


def _drawn(question: "Question", folder: Path, tried: "list[Tried]") -> Path | None:
    from vaekit.figures import TrialPoint, save, search_history
    from vaekit.runs.over import Range

    is_bound = question.objective == "elbo_nats"  # so that trials given up can be shown with it
    points = [
        TrialPoint(one.number, value, one.value is not None, one.settings)
        for one in tried
        if (value := one.last_bound if one.value is None and is_bound else one.value) is not None
    ]
    if not points:
        return None
    log = [path for path, axis in question.axes.items() if isinstance(axis, Range) and axis.is_log]
    label = f"{question.objective}, validation"
    return save(search_history(points, label, question.maximize, log), folder / "search.png")
