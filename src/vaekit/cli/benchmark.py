"""`vaekit benchmark`: committed recipes beside the numbers that others published."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vaekit.errors import SpecError

if TYPE_CHECKING:
    from vaekit.recipes import Benchmark
    from vaekit.runs.benchmark import Planned
    from vaekit.runs.benchmark_rows import Row


def benchmark(
    name: Annotated[
        str, typer.Argument(help="A benchmark of vaekit (mnist, mnist_gpu), or a TOML file.")
    ],
    only: Annotated[
        str, typer.Option(metavar="RECIPE,...", help="These recipes alone; all if absent.")
    ] = "",
    seeds: Annotated[
        str,
        typer.Option(metavar="N,...", help="By default those that the benchmark commits to."),
    ] = "",
    output: Annotated[
        Path | None, typer.Option(help="Folder of the runs; by default runs/benchmark/<name>.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="By default benchmark.json in that folder.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would run, and for how long; then stop.")
    ] = False,
    list_only: Annotated[
        bool, typer.Option("--list", help="Show entries and what is there; train nothing.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress bar; a line for each validation.")
    ] = False,
) -> None:
    """Train the committed recipes of a benchmark, and show them beside published numbers.

    A run for each recipe and seed lies in the folder; the same command reads those that are
    finished and goes on where it was stopped. The table has every finished run there, and is also
    written as benchmark.json (with protocol, results, recipe digest and machine of every run),
    benchmark.csv and benchmark.md. For example:

    vaekit benchmark mnist --only mnist_vamp,mnist_iwae
    """
    from vaekit.recipes import load_benchmark
    from vaekit.runs.benchmark import benchmark_folder, plan
    from vaekit.runs.benchmark_page import write_benchmark

    chosen = load_benchmark(name)
    folder = output or benchmark_folder(chosen)
    if list_only:
        _show(_rows(chosen, folder))
        return
    planned = plan(chosen, folder, _names(only), _numbers(seeds))
    if dry_run:
        _foretell(planned, chosen, folder)
        return
    for number, one in enumerate(planned, start=1):
        typer.echo(f"run {number} of {len(planned)}: {one.recipe.name}, seed {one.seed}")
        _carry_out(one, quiet)
        # After each run, so that whoever stops has a table of what is there.
        found = _rows(chosen, folder)
        files = write_benchmark(chosen, found, folder, json_file)
        if number == len(planned):
            _show(found)
            typer.echo("\n".join(f"table    {file}" for file in files))


def _carry_out(one: "Planned", quiet: bool) -> None:
    from vaekit.cli.measures import measuring
    from vaekit.cli.report import Reporter
    from vaekit.runs.benchmark import carry_out

    reporter = Reporter(quiet)
    reporter.announce(one.recipe, one.folder)
    with reporter.warnings_shown(), measuring(reporter.console, reporter.has_bar) as progress:
        carry_out(one, [reporter], progress)


def _rows(chosen: "Benchmark", folder: Path) -> "list[Row]":
    """Of all finished runs; says which of the others do not count."""
    from vaekit.runs.benchmark import made
    from vaekit.runs.benchmark_rows import rows

    found, refused = made(chosen, folder)
    for error in refused:
        typer.echo(f"left out: {error}", err=True)
    return rows(chosen, found)


def _show(found: "list[Row]") -> None:
    from vaekit.cli.table import show_table
    from vaekit.runs.benchmark_page import minutes

    show_table([_columns(row) for row in found])
    for row in found:
        entry = row.entry
        lines = [
            f"published {p.value:.2f}: {p.model}; {p.source}; {p.protocol}"
            for p in filter(None, [entry.published])
        ]
        if row.runs:
            lines.append(f"ours: {row.protocol_in_words}; ± is the {row.spread_in_words}")
            took = f"trained in {minutes(row.training_seconds)}"
            limit = entry.most_training_minutes
            allowed = f" ({limit:g} min allowed)" if limit else ""
            machines = "; ".join(dict.fromkeys(run.machine for run in row.runs))
            lines.append(f"{took}{allowed} on {machines}")
        lines += row.deviations
        typer.echo("\n  ".join([row.name, *lines]))


def _columns(row: "Row") -> dict[str, object]:
    entry = row.entry
    published = entry.published.value if entry.published else None
    numbers = {"published": published, "must": entry.must, "aim": entry.aim, "ours": row.mean}
    return {
        "recipe": row.name,
        "measure": "NLL" if entry.measure == "nll_nats" else "-ELBO",
        **{key: None if value is None else f"{value:.2f}" for key, value in numbers.items()},
        "±": None if row.spread is None else f"{row.spread:.2f}",
        "reached": row.verdict,
    }


def _foretell(planned: "list[Planned]", chosen: "Benchmark", folder: Path) -> None:
    """What would run; from a run of the same recipe, where there is one, how long."""
    from vaekit.cli.table import show_table
    from vaekit.runs.benchmark import expected_minutes, made

    there, _ = made(chosen, folder)
    rows = [(one, one.state, expected_minutes(one, there)) for one in planned]
    show_table(
        [
            {
                "recipe": one.recipe.name,
                "seed": one.seed,
                "state": state,
                "minutes": found.text,
            }
            for one, state, found in rows
        ]
    )
    total = sum(found.minutes or 0 for *_, found in rows)
    unknown = sum(found.minutes is None for *_, found in rows)
    typer.echo(f"in {folder}/<recipe>/seed<N>")
    typer.echo(
        f"about {total:.0f} minutes in all" + (f", and {unknown} unknown" if unknown else "")
    )


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _numbers(text: str) -> list[int]:
    names = _names(text)
    if not all(name.isdecimal() for name in names):
        raise SpecError(
            "Seeds cannot be read.",
            where=f"--seeds {text}",
            expected="whole numbers between commas, as in 0,1,2",
            found=text,
        )
    return [int(name) for name in names]
