"""`vaekit study dynamics`: does the posterior variance first shrink and then grow?"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vaekit.errors import SpecError

if TYPE_CHECKING:
    from vaekit.studies.dynamics import Places, Task
    from vaekit.training import Listener

PARTS = ("linear", "grid", "frozen", "widths", "relatives")


def dynamics(
    betas: Annotated[
        str, typer.Option(metavar="B,...", help="Weights of the KL in the grid.")
    ] = "0,0.1,0.5,1,2,5,10",
    seeds: Annotated[str, typer.Option(metavar="N,...", help="Seeds of everything.")] = "0",
    latent_dims: Annotated[str, typer.Option(metavar="D,...", help="Sizes of z.")] = "2",
    data: Annotated[
        str, typer.Option(metavar="KIND,...", help="grey (as published), binary, or both.")
    ] = "grey",
    epochs: Annotated[int, typer.Option(min=1, help="Of a cell of the grid.")] = 200,
    only: Annotated[
        str, typer.Option(metavar="PART,...", help=f"Some of {', '.join(PARTS)}.")
    ] = ",".join(PARTS),
    output: Annotated[
        Path | None,
        typer.Option(help="Results, figures and verdicts; by default runs/study/dynamics."),
    ] = None,
    work: Annotated[
        Path | None, typer.Option(help="States; by default work/ in the output folder.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes at a time, a thread each.")] = 1,
    quick: Annotated[
        bool, typer.Option("--quick", help="Minutes: beta 0 and 1, an epoch each; figures say so.")
    ] = False,
    report_only: Annotated[
        bool, typer.Option("--report-only", help="Train nothing; draw and judge what is there.")
    ] = False,
) -> None:
    """Train VAEs under observation, and judge the claims of an article on their dynamics.

    The published set-up is the default. Every cell leaves one small JSON file in the output folder;
    the same command skips what is there and goes on inside a cell that was stopped. Figures,
    verdict.md and verdict.json tell of all cells that are there. The extended grid is

    vaekit study dynamics --seeds 0,1,2 --latent-dims 2,20 --data grey,binary --jobs 2
    """
    from vaekit.studies.dynamics import Places, missing

    folder = output or Path("runs", "study", "dynamics-quick" if quick else "dynamics")
    places = Places(folder, work or folder / "work")
    if not report_only:
        chosen = _betas(betas) if not quick else [0.0, 1.0]
        tasks = _tasks(
            chosen,
            _numbers(seeds, "--seeds", int),
            _numbers(latent_dims, "--latent-dims", int),
            _among(data, "--data", ("grey", "binary")),
            _among(only, "--only", PARTS),
            epochs,
            quick,
        )
        _work_through(missing(tasks, places), len(tasks), places, jobs)
    _report(folder, quick)


def _tasks(
    betas: Sequence[float],
    seeds: Sequence[int],
    sizes: Sequence[int],
    data: Sequence[str],
    parts: Sequence[str],
    epochs: int,
    quick: bool,
) -> "list[Task]":
    from vaekit.studies.dynamics import planned

    return planned(betas, seeds, data, sizes, parts, epochs, quick)


def _work_through(left: "Sequence[Task]", asked: int, places: "Places", jobs: int) -> None:
    """Says how far it has come after every task."""
    from vaekit.studies.dynamics import perform_all

    typer.echo(f"{asked - len(left)} of {asked} tasks are there; results in {places.output}")
    began = time.monotonic()
    for count, task in enumerate(perform_all(left, places, jobs, _listeners), start=1):
        minutes = (time.monotonic() - began) / 60
        typer.echo(f"{count} of {len(left)}  {minutes:6.1f} min  {task.name}")


def _listeners(_task: "Task") -> "Sequence[Listener]":
    """A bar for a person; a file gets a line for each task instead."""
    from vaekit.cli.report import Reporter

    reporter = Reporter(quiet=False)
    return [reporter] if reporter.has_bar else []


def _report(folder: Path, quick: bool) -> None:
    from vaekit.cli.table import show_table
    from vaekit.studies.dynamics import report

    written = report(folder, quick)
    show_table(
        [{key: row[key] for key in ("claim", "measured", "verdict")} for row in written.table]
    )
    typer.echo("\n".join(f"{file}" for file in written.files))


def _betas(text: str) -> list[float]:
    found = _numbers(text, "--betas", float)
    if any(beta < 0 for beta in found):
        raise _refused("--betas", text, "numbers from 0 upwards")
    return found


def _numbers(text: str, option: str, kind: Callable[[str], Any]) -> list[Any]:
    try:
        found = [kind(part) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise _refused(option, text, "numbers between commas, as in 0,1,2") from error
    if not found or any(number < 0 for number in found):
        raise _refused(option, text, "numbers from 0 upwards, between commas")
    return found


def _among(text: str, option: str, names: Sequence[str]) -> list[str]:
    found = [part.strip() for part in text.split(",") if part.strip()]
    if not found or not set(found) <= set(names):
        raise _refused(option, text, f"some of {', '.join(names)}, between commas")
    return found


def _refused(option: str, text: str, expected: str) -> SpecError:
    return SpecError("An option cannot be used.", where=option, expected=expected, found=text)
