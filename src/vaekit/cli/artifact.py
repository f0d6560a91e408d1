"""`vaekit artifact`: look at a trained model's folder, check it, sign it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from vaekit.cli.answers import Key, ModelPath

if TYPE_CHECKING:
    from vaekit.artifacts import Exported

artifact_app = typer.Typer(no_args_is_help=True, help="Show, verify and sign trained models.")


@artifact_app.command()
def show(model: ModelPath, key: Key = None) -> None:
    """Show what a trained model is, after verifying it."""
    from vaekit.artifacts import open_artifact

    folder = open_artifact(model, key)
    serving, data = folder.serving, folder.document("data.json")
    metrics, exported = folder.document("metrics.json"), folder.exported
    rows = {
        "name": serving.name,
        "what": serving.description,
        "model": f"{serving.model_kind}, {serving.parameters:,} weights, "
        f"{serving.latent_dim} latent dimensions",
        "input": f"{serving.form.kind} {serving.form.event_shape}, {serving.form.dtype}",
        "transform": f"{serving.transform.kind}, protocol {serving.transform.protocol}",
        "data": f"{data['name']}, split {data['split_name']}, {data['fingerprint'][:16]}...",
        "scores": ", ".join(serving.scores),
        **{name: f"{metrics[name]:.2f}" for name in ("nll_nats", "elbo_nats") if name in metrics},
        "onnx": "none: vaekit export" if exported is None else _graphs_in_words(exported),
        "format": f"version {serving.format_version}, written by vaekit {serving.vaekit}",
        "signature": "by this key" if folder.is_signed else "not checked: no key given",
        "folder": str(folder.path),
    }
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_header=False)
    for name, value in rows.items():
        if value:
            table.add_row(name, escape(value))
    Console(highlight=False).print(table)


def _graphs_in_words(exported: "Exported") -> str:
    sizes = [f"{name} ({v.bytes / 1024:.0f} KiB)" for name, v in exported.variants.items()]
    return f"{', '.join(sizes)}; opset {exported.opset}"


@artifact_app.command()
def verify(model: ModelPath, key: Key = None) -> None:
    """Check every file against its hash, and with a key, who signed them."""
    from vaekit.artifacts import open_artifact

    folder = open_artifact(model, key)
    signed = f"signed with the private part of {key}" if folder.is_signed else "no key to check"
    typer.echo(f"{folder.path}: {len(folder.digests)} files as they were written; {signed}")


@artifact_app.command()
def sign(
    model: ModelPath,
    key: Annotated[Path, typer.Option(help="Private key, as `keygen` makes it.")],
) -> None:
    """Sign a trained model, after checking its files."""
    from vaekit.artifacts import sign as sign_folder

    typer.echo(f"signed: {sign_folder(model, key)}")


@artifact_app.command()
def keygen(
    name: Annotated[Path, typer.Argument(metavar="NAME", help="Makes NAME.key and NAME.pub.")],
) -> None:
    """Make a pair of Ed25519 keys: one to sign with, one to check with."""
    from vaekit.artifacts import make_key_pair

    pair = make_key_pair(name)
    typer.echo(f"private key, to keep to yourself: {pair.private}")
    typer.echo(f"public key, to give away:         {pair.public}")
