"""`vaekit data`: which data sets there are, fetching them, checking them."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from vaekit.errors import SpecError

if TYPE_CHECKING:
    from vaekit.data import Dataset, NamedDataSet

data_app = typer.Typer(no_args_is_help=True, help="List, fetch and verify data sets.")
Name = Annotated[str, typer.Argument(help="A name that `vaekit data list` shows.")]


@data_app.command("list")
def list_data_sets() -> None:
    """Show the data sets that vaekit knows by name."""
    from vaekit.data import DATA_SETS

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("name", "what it is", "shape", "examples", "licence", "here"):
        table.add_column(heading, no_wrap=heading == "name")
    for name, known in DATA_SETS.items():
        here = "yes" if known.is_here() else "no"
        table.add_row(name, known.title, known.shape, f"{known.examples:,}", known.licence, here)
    console = Console()
    console.print(table)
    console.print("Your own files: data.kind = 'arrays', 'images' or 'shards' in a recipe.")


@data_app.command()
def fetch(name: Name) -> None:
    """Bring a data set to this machine, unless it is here already."""
    known = _known(name)
    console = Console()
    with console.status(f"Looking for {name} ..."):
        dataset = known.spec.load()
    _print(console, dataset)


@data_app.command()
def verify(name: Name) -> None:
    """Check a data set on this machine against what was published."""
    known = _known(name)
    known.check_here()
    _print(Console(), known.spec.load())


def _known(name: str) -> "NamedDataSet":
    from vaekit.data import DATA_SETS

    if name not in DATA_SETS:
        raise SpecError(
            "There is no data set of this name.",
            where="vaekit data",
            expected=f"one of {', '.join(DATA_SETS)}",
            found=name,
            remedy="see `vaekit data list`; files of your own are named in a recipe",
        )
    return DATA_SETS[name]


def _print(console: Console, dataset: "Dataset") -> None:
    for key, value in {
        "data set": dataset.name,
        "source": dataset.source,
        "split": dataset.split_name,
        "fingerprint": dataset.fingerprint,
    }.items():
        console.print(f"{key:<12} {value}", markup=False, highlight=False, soft_wrap=True)
