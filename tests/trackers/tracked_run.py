"""A run of half a second with trackers, and what each of them kept of it."""

import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from runs.small_recipe import small_recipe

from vaekit.recipes import Recipe
from vaekit.runs import Run, fit, prepare
from vaekit.training import Listener, Record, latest_checkpoint

KINDS = ("tensorboard", "mlflow", "wandb")
VALIDATIONS = (2560, 5120)  # in examples seen


class Kill(Listener):
    """Ends the run after a number of steps: politely, or as a crash would."""

    def __init__(self, step: int, polite: bool) -> None:
        self.step, self.polite = step, polite

    def stepped(self, step: int, reported: Record) -> None:
        if step == self.step:
            if not self.polite:
                raise MemoryError("a crash")
            os.kill(os.getpid(), signal.SIGINT)


def recipe(*trackers: str, settings: Sequence[str] = ()) -> Recipe:
    """A recipe with trackers, given as kinds or as tables."""
    tables = [tracker if "{" in tracker else f'{{ kind = "{tracker}" }}' for tracker in trackers]
    return small_recipe(f"trackers=[{', '.join(tables)}]", *settings)


def tracked(
    folder: Path,
    *trackers: str,
    settings: Sequence[str] = (),
    listeners: Sequence[Listener] = (),
) -> Run:
    return fit(*prepare(recipe(*trackers, settings=settings), folder), listeners)


def weights(folder: Path) -> bytes:
    newest = latest_checkpoint(folder / "checkpoint")
    assert newest is not None
    return (newest / "state.safetensors").read_bytes()


def logged(run: Run, kind: str, name: str) -> list[tuple[int, float]]:
    """What the run's own log says, by examples seen."""
    return [
        (int(record["examples_seen"]), float(record[name]))
        for record in run.log
        if record["kind"] == kind
    ]


# -- TensorBoard -----------------------------------------------------------------------------


def events(folder: Path) -> Any:
    """Everything that TensorBoard would show."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return EventAccumulator(str(folder), {"scalars": 0, "images": 0, "histograms": 0}).Reload()


# -- MLflow ----------------------------------------------------------------------------------


def store(folder: Path) -> Any:
    """A client of a store of files."""
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    try:
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=folder.resolve().as_uri())
    finally:
        del os.environ["MLFLOW_ALLOW_FILE_STORE"]


def only_run(client: Any) -> Any:
    (experiment,) = [e for e in client.search_experiments() if e.name != "Default"]
    (run,) = client.search_runs([experiment.experiment_id])
    return run


# -- Weights & Biases ------------------------------------------------------------------------


def offline_records(file: Path) -> Iterator[Any]:
    """The records of an offline run: a LevelDB log of protocol buffers after 7 bytes of header.

    A block has 32 KiB; a chunk has a checksum (4 bytes), a length (2) and a type (1: whole,
    2: first, 3: middle, 4: last), and never begins in the last 6 bytes of a block.
    """
    from wandb.proto import wandb_internal_pb2

    generated: Any = wandb_internal_pb2  # no type checker sees what is in there
    content, at, parts = file.read_bytes(), 7, b""
    while at + 7 <= len(content):
        if 32768 - at % 32768 < 7:
            at += 32768 - at % 32768
            continue
        length, kind = int.from_bytes(content[at + 4 : at + 6], "little"), content[at + 6]
        chunk = content[at + 7 : at + 7 + length]
        parts, at = chunk if kind in (1, 2) else parts + chunk, at + 7 + length
        if kind in (1, 4):
            yield generated.Record.FromString(parts)


def offline_runs(folder: Path) -> list[list[Any]]:
    # A second run of one second is called NAME-1; as a path, NAME-1/ would come before NAME/.
    files = sorted(folder.glob("wandb/offline-run-*/run-*.wandb"), key=lambda f: f.parent.name)
    return [list(offline_records(file)) for file in files]
