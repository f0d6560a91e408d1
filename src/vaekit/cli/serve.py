"""`vaekit serve`: a trained model behind HTTP."""

from pathlib import Path
from typing import Annotated

import typer

from vaekit.cli.answers import Key


def serve(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH",
            help="Folder of a run or of an artifact; or of models, MODELS/NAME/versions/VERSION.",
        ),
    ],
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 for others than this machine.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes that share the port.")] = 1,
    name: Annotated[
        str | None, typer.Option(help="What a single artifact is called; else as it was trained.")
    ] = None,
    keys: Annotated[
        Path | None,
        typer.Option(
            help="File of API keys, which `vaekit keys new` writes; read again on change."
        ),
    ] = None,
    per_second: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            help="Requests per second of a key without a rate of its own; without keys, of an "
            "address.",
        ),
    ] = None,
    no_auth: Annotated[
        bool, typer.Option("--no-auth", help="Let everybody in who reaches the address.")
    ] = False,
    key: Key = None,
    variant: Annotated[str, typer.Option(help="Which graph of an artifact runs.")] = "fp32",
    threads: Annotated[
        int, typer.Option(min=1, help="Threads for one operation; workers scale better.")
    ] = 1,
    timeout: Annotated[float, typer.Option(min=0.001, help="Deadline of a request, seconds.")] = 30,
    max_body: Annotated[int, typer.Option(min=1, help="Largest body, MiB.")] = 16,
    queue: Annotated[int, typer.Option(min=1, help="Requests that may wait for a model.")] = 1024,
    batch: Annotated[
        int, typer.Option(min=1, help="Samples (examples times samples of z) of one batch.")
    ] = 4096,
    records: Annotated[
        Path | None, typer.Option(help="Folder for a record of every scored example.")
    ] = None,
    records_days: Annotated[float, typer.Option(min=0.001, help="How long records stay.")] = 30,
    sample_rate: Annotated[
        float, typer.Option(min=0, max=1, help="Share of examples whose raw values are kept, too.")
    ] = 0,
    sample_days: Annotated[float, typer.Option(min=0.001, help="How long raw values stay.")] = 7,
    mask: Annotated[
        list[str] | None,
        typer.Option(help="Column or condition whose values are never recorded; may be repeated."),
    ] = None,
    tracing: Annotated[
        bool,
        typer.Option(
            "--tracing",
            help="Send traces by OTLP, to $OTEL_EXPORTER_OTLP_ENDPOINT or this machine's port "
            "4318; where that variable is set, they are sent without being asked for.",
        ),
    ] = False,
    grace: Annotated[
        float, typer.Option(min=0, help="Seconds after SIGTERM with answers, and not ready.")
    ] = 0.5,
) -> None:
    """Serve a trained model: the Open Inference Protocol at /v2, JSON and PNG at /v1.

    Where others than this machine can reach it, it needs API keys.
    """
    from vaekit.errors import MissingExtraError

    try:
        from vaekit.serving import Settings, run_service
    except ModuleNotFoundError as error:
        raise MissingExtraError("serve", "Serving a model") from error
    recorded = records and {
        "folder": records,
        "keep_days": records_days,
        "sample_rate": sample_rate,
        "sample_days": sample_days,
        "masked": mask or (),
    }
    settings = Settings.model_validate(
        {
            "path": path,
            "name": name,
            "host": host,
            "port": port,
            "workers": workers,
            "public_key": key,
            "variant": variant,
            "threads": threads,
            "grace_seconds": grace,
            "timeout_seconds": timeout,
            "keys": keys,
            "per_second": per_second,
            "no_auth": no_auth,
            "records": recorded,
            "tracing": tracing,
            "body": {"size_bytes": max_body * 2**20},
            "queue": {"waiting_requests": queue, "batch_samples": batch},
        }
    )
    run_service(settings)
