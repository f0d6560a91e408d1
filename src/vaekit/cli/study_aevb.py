"""`vaekit study aevb`: the figures of Auto-Encoding Variational Bayes, and its claims."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vaekit.errors import SpecError

if TYPE_CHECKING:
    from vaekit.studies.aevb import Cell, Part

PARTS = ("figure2", "figure3", "manifolds", "starts")


def aevb(
    only: Annotated[
        str, typer.Option(metavar="PART,...", help=f"Some of {', '.join(PARTS)}.")
    ] = ",".join(PARTS),
    samples: Annotated[
        float, typer.Option(min=1000, help="Training samples of each cell, such as 1e7.")
    ] = 1e7,
    seeds: Annotated[int, typer.Option(min=1, help="So many seeds of each cell.")] = 1,
    output: Annotated[
        Path | None,
        typer.Option(help="Numbers, figures and tables; by default runs/study/aevb."),
    ] = None,
    page: Annotated[
        Path | None, typer.Option(help="A Markdown file whose marked tables are filled.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes at a time, a thread each.")] = 1,
    quick: Annotated[
        bool, typer.Option("--quick", help="Minutes: 1e5 samples, fewer cells; figures say so.")
    ] = False,
    report_only: Annotated[
        bool, typer.Option("--report-only", help="Train nothing; draw and judge what is there.")
    ] = False,
) -> None:
    """Train AEVB, wake-sleep and Monte Carlo EM as published, and judge the paper's claims.

    figure2 follows the bound over training samples on MNIST and Frey Faces, by latent size, with
    Adagrad as published and with Adam. figure3 follows the marginal likelihood. manifolds draws
    what was learned; starts tries another reading of how weights start. Every cell leaves one small
    JSON file, the first time after a million samples; the same command skips what is there and
    goes on inside a cell that was stopped. For example:

    vaekit study aevb --only figure2 --samples 1e6 --jobs 2
    """
    from vaekit.studies.aevb import report, run_study

    folder = output or Path("runs", "study", "aevb-quick" if quick else "aevb")
    if not report_only:
        run_study(folder, _parts(only), int(samples), seeds, jobs, quick, _told)
    files = report(folder, page)
    for kind, names in (("picture", files["pictures"]), ("table", files["tables"])):
        for name in names:
            typer.echo(f"{kind:<9}{name}")


def _told(cell: "Cell", found: dict[str, Any]) -> None:
    curve = found["curve"]
    ends = ", ".join(f"{split} {curve[split][-1]:.1f}" for split in ("train", "test"))
    took = f"{found['cpu_seconds_per_million']:.0f} s of a processor per million"
    typer.echo(f"{cell.name}: {found['samples']:,} samples, {ends} nats, {took}")


def _parts(text: str) -> "list[Part]":
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names or not set(names) <= set(PARTS):
        raise SpecError(
            "The study has no such part.",
            where=f"--only {text}",
            expected=f"some of {', '.join(PARTS)}, with commas between",
            found=text,
        )
    return [name for name in PARTS if name in names]
