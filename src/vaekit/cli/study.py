"""`vaekit study`: published claims, run again and judged."""

import typer

from vaekit.cli.study_aevb import aevb
from vaekit.cli.study_arithmetic import arithmetic
from vaekit.cli.study_dynamics import dynamics

study_app = typer.Typer(no_args_is_help=True, help="Run published claims again and judge them.")
study_app.command()(dynamics)
study_app.command()(aevb)
study_app.command()(arithmetic)
