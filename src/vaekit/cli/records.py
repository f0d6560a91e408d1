"""`vaekit records`: what a service left of the examples that it scored."""

from pathlib import Path
from typing import Annotated

import typer

records_app = typer.Typer(no_args_is_help=True, help="Read what `vaekit serve --records` wrote.")


@records_app.command("to-parquet")
def to_parquet(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of records.")],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="Where to write; .csv and .npz are possible, too."),
    ] = Path("records.parquet"),
) -> None:
    """Write records as one table: a row for each example, a column for each score and dimension."""
    from vaekit.cli.answers import TABLES, check_ending, counted, write_table
    from vaekit.errors import MissingExtraError

    check_ending(output, TABLES)
    try:
        from vaekit.serving.segments import as_columns, read
    except ModuleNotFoundError as error:
        raise MissingExtraError("serve", "Reading records") from error
    found = read(folder)
    write_table(as_columns(found), output, f"{counted(len(found), 'record')} of {folder}")
