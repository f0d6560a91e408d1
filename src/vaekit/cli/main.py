"""The command `vaekit`: finds the verb, and turns errors into messages and exit codes."""

import os
import sys
from inspect import getdoc
from typing import Annotated

import typer
from rich.console import Console

from vaekit import __version__
from vaekit.cli.artifact import artifact_app
from vaekit.cli.benchmark import benchmark
from vaekit.cli.codes import decode, encode, reconstruct
from vaekit.cli.compare import compare
from vaekit.cli.data import data_app
from vaekit.cli.diagnose import diagnose
from vaekit.cli.evaluate import evaluate
from vaekit.cli.export import export
from vaekit.cli.generate import generate
from vaekit.cli.keys import keys_app
from vaekit.cli.lesson import lesson_app
from vaekit.cli.list import list_all
from vaekit.cli.records import records_app
from vaekit.cli.sample import sample
from vaekit.cli.score import score
from vaekit.cli.search import search
from vaekit.cli.serve import serve
from vaekit.cli.study import study_app
from vaekit.cli.sweep import sweep
from vaekit.cli.train import train
from vaekit.cli.walk import interpolate, traverse
from vaekit.errors import Interrupted, MissingExtraError, VaekitError

app = typer.Typer(
    name="vaekit",
    help="Train, measure and run variational autoencoders.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(train)
app.command()(evaluate)
app.command()(compare)
app.command()(sweep)
app.command()(search)
app.command()(benchmark)
app.command()(diagnose)
app.command()(export)
app.command()(generate)
for verb in (encode, decode, reconstruct, score, sample, interpolate, traverse):
    app.command()(verb)
app.command()(serve)
app.command("list")(list_all)
app.add_typer(data_app, name="data")
app.add_typer(artifact_app, name="artifact")
app.add_typer(keys_app, name="keys")
app.add_typer(records_app, name="records")
app.add_typer(lesson_app, name="lesson")
app.add_typer(study_app, name="study")


def _let_paragraphs_flow(of: typer.Typer) -> None:
    """Joins the lines of every paragraph of help, which typer would keep at any width."""
    for command in of.registered_commands:
        paragraphs = (getdoc(command.callback) or "").split("\n\n")
        command.help = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    for group in of.registered_groups:
        if group.typer_instance is not None:
            _let_paragraphs_flow(group.typer_instance)


_let_paragraphs_flow(app)


def _show_version(wanted: bool) -> bool:
    if wanted:
        typer.echo(f"vaekit {__version__}")
        raise typer.Exit
    return wanted


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Say which vaekit."),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the whole traceback of an error.")
    ] = False,
) -> None:
    if debug:
        os.environ["VAEKIT_DEBUG"] = "1"


def main() -> None:
    """Runs a command; a mistake of the user ends in a message, never in a traceback."""
    try:
        app()
    except VaekitError as error:
        _fail(str(error), error.exit_code)
    except SystemExit as end:  # typer has made one of a KeyboardInterrupt
        if end.code != Interrupted.exit_code:
            raise
        _fail("Stopped; nothing is half-written. The same command goes on.", Interrupted.exit_code)
    except ModuleNotFoundError as error:  # an image that only serves: requirements/serve.txt
        _fail(
            f"This command needs the package {error.name}, which is not installed here.\n"
            "  do:       pip install vaekit, with all that it needs",
            MissingExtraError.exit_code,
        )
    except Exception as error:
        _fail(
            f"vaekit failed in a way it should not: {type(error).__name__}: {error}\n"
            "  do:       run it again with --debug, and report what it shows",
            1,
        )


def _fail(message: str, exit_code: int) -> None:
    if os.environ.get("VAEKIT_DEBUG"):
        raise
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if exit_code != Interrupted.exit_code:
        console.print("[bold red]error:[/] ", end="")
    console.print(message, markup=False)
    sys.exit(exit_code)
