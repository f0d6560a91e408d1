"""`vaekit compare`: paired differences of runs, and their curves in one picture."""

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from vaekit.errors import SpecError

# What each measure is called, and the sign it is shown with: as losses, like everywhere else.
MEASURES = {
    "nll_nats": ("NLL", 1),
    "elbo_nats": ("-ELBO", -1),
    "expected_log_likelihood_nats": ("-E[log p(x|z)]", -1),
    "kl_nats": ("KL", 1),
}


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Folders of two or more runs.")],
    split: Annotated[str, typer.Option(help="Which examples.")] = "test",
    examples: Annotated[int, typer.Option(min=2, help="The first so many.")] = 1000,
    samples: Annotated[int, typer.Option(min=1, help="Importance samples k.")] = 100,
    seed: Annotated[int, typer.Option(help="Of the binarisation and the samples.")] = 0,
    output: Annotated[
        Path, typer.Option(help="Where the picture of the curves goes (.png or .svg).")
    ] = Path("comparison.png"),
) -> None:
    """Compare runs of the same data, example by example.

    Differences are from the first run; plus and minus is their standard error over examples.
    """
    from vaekit.figures import compared_curves, save
    from vaekit.runs import compare as compare_runs
    from vaekit.runs import open_run
    from vaekit.schema import protocol_in_words

    if len(runs) < 2:
        raise SpecError(
            "One run has nothing to be compared with.",
            where="vaekit compare",
            expected="two folders or more",
            found=len(runs),
        )
    opened = [open_run(folder) for folder in runs]
    console = Console(highlight=False, soft_wrap=True)
    with console.status("Measuring ..."):
        rows = compare_runs(opened[0], opened[1:], split, examples, samples, seed)
    for other, differences in zip(runs[1:], rows, strict=True):
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("nats per example")
        for heading in (str(runs[0]), str(other), "difference"):
            table.add_column(escape(heading), justify="right")
        for row in differences:
            name, sign = MEASURES[row.measure]
            gap = f"{sign * row.difference:+.2f} ± {row.standard_error:.2f}"
            table.add_row(escape(name), f"{sign * row.first:.2f}", f"{sign * row.other:.2f}", gap)
        console.print(table)
    dataset = opened[0].dataset
    shown = min(examples, len(dataset.split(split)))
    console.print(
        f"{split} split of {dataset.split_name}, first {shown:,} examples, "
        f"k = {samples}, {protocol_in_words(opened[0].transform.protocol)}, seed {seed}; paired"
    )
    file = save(compared_curves({str(run.folder): run.log for run in opened}), output)
    console.print(f"curves  {escape(str(file))}")
