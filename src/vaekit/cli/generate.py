"""`vaekit generate`: many new examples, in files, at the batch size that is fastest here."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from vaekit.cli.answers import Key, ModelPath, NeededConditionOption, Seed, parsed

if TYPE_CHECKING:
    from vaekit.runtime import Batch


def generate(
    model: ModelPath,
    number: Annotated[int, typer.Option("--number", "-n", min=1, help="How many.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of .npy files; it is gone on with.")
    ],
    seed: Seed = 0,
    temperature: Annotated[
        float, typer.Option(min=0, help="Factor on the scale of the prior; below one is safer.")
    ] = 1.0,
    condition: NeededConditionOption = None,
    shard: Annotated[int, typer.Option(min=1, help="Examples of a file.")] = 10_000,
    price: Annotated[
        float | None,
        typer.Option(min=0, metavar="PER_HOUR", help="Of this machine: says what examples cost."),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of the model.")] = 1,
    variant: Annotated[str, typer.Option(help="Which graphs of the artifact run.")] = "fp32",
    key: Key = None,
) -> None:
    """Write many examples that the model invents, without torch: it has to be exported first.

    Batch sizes are tried, and the smallest is taken that is hardly slower than the fastest; what
    is written does not depend on it. The same command goes on with the files that are missing.
    """
    from vaekit.artifacts import SUMS
    from vaekit.runtime import Asked, fastest_batch, missing_shards, open_runtime
    from vaekit.runtime import generate as write

    console, told = Console(highlight=False, soft_wrap=True), parsed(condition)
    runtime = open_runtime(model, key, variant, threads)
    digest = hashlib.sha256((runtime.path / SUMS).read_bytes()).hexdigest()
    asked = Asked(f"{digest} {variant}", number, seed, temperature, told, shard)
    if missing_shards(asked, output):
        chosen, tried = fastest_batch(runtime, told)
        console.print(_table(tried, chosen, price))
    written = write(
        runtime,
        asked,
        output,
        lambda number, seconds: console.print(
            f"{number + 1} of {asked.shards}: {asked.size_of(number):,} examples in {seconds:.1f} s"
        ),
    )
    there = "" if written == asked.shards else f" ({asked.shards - written} were there already)"
    console.print(f"{number:,} examples in {output}{there}", markup=False)


def _table(tried: list["Batch"], chosen: "Batch", price: float | None) -> Table:
    table = Table(box=box.SIMPLE)
    for title in (
        "batch",
        "examples/s",
        "s per 1,000",
        *(() if price is None else ("cost per 1,000",)),
    ):
        table.add_column(title, justify="right")
    for batch in tried:
        cost = () if price is None else (f"{batch.cost_per_thousand(price):.3g}",)
        table.add_row(
            f"{batch.size:,}",
            f"{1000 / batch.seconds_per_thousand:,.0f}",
            f"{batch.seconds_per_thousand:.3g}",
            *cost,
            style="bold" if batch == chosen else None,
        )
    return table
