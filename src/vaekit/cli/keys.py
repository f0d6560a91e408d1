"""`vaekit keys`: who may use a service."""

from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

keys_app = typer.Typer(no_args_is_help=True, help="Make and show API keys of a service.")


@keys_app.command()
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who it is for; logs say it.")],
    scope: Annotated[
        list[str] | None, typer.Option(help="infer or admin; may be repeated. [default: infer]")
    ] = None,
    per_second: Annotated[
        float | None, typer.Option(min=0.001, help="Requests that it may make.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="Where to add it; else its line is only shown.")
    ] = None,
) -> None:
    """Make a key. It is shown once; what is kept of it is a hash."""
    keys = _keys()
    secret, made = keys.new_key(name, scope or ["infer"], per_second)
    if file is not None:
        keys.add_to_file(file, made)
        typer.echo(f"added to {file}: {made.name}, {', '.join(sorted(made.scopes))}", err=True)
    else:
        typer.echo(f"a line for --keys FILE, or for $VAEKIT_API_KEYS:\n{made.line}", err=True)
    typer.echo(secret)


@keys_app.command("list")
def list_keys(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File of keys.")],
) -> None:
    """Show whose keys are in a file. To take one back, remove its line."""
    for key in _keys().keys_from_file(file):
        rate = "" if key.per_second is None else f", {key.per_second:g} per second"
        typer.echo(f"{key.name}: {', '.join(sorted(key.scopes))}{rate}")


def _keys() -> ModuleType:
    from vaekit.errors import MissingExtraError

    try:
        from vaekit.serving import keys
    except ModuleNotFoundError as error:
        raise MissingExtraError("serve", "Serving a model") from error
    return keys
