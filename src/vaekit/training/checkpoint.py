"""Checkpoints: complete, atomic, without pickle.

    checkpoint/00001200/state.safetensors    every tensor
    checkpoint/00001200/state.json           every number

A checkpoint is written beside its final name and renamed when it is whole, so that a folder
with a final name is always complete, whenever the process dies. The one before is removed
only after that.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from vaekit.errors import ArtifactError

FORMAT_VERSION = 1


class Checkpoint(NamedTuple):
    """What a run needs to go on."""

    tensors: dict[str, Tensor]
    numbers: dict[str, Any]


def save(folder: Path, step: int, checkpoint: Checkpoint) -> Path:
    """Writes a checkpoint below `folder` and removes older ones.

    Raises:
        ArtifactError: It could not be written; earlier checkpoints are untouched.
    """
    final = folder / f"{step:08d}"
    partial = folder / f"{step:08d}.partial"
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        save_file(
            {k: v.contiguous() for k, v in checkpoint.tensors.items()},
            partial / "state.safetensors",
        )
        numbers = {"format_version": FORMAT_VERSION, "step": step, **checkpoint.numbers}
        (partial / "state.json").write_text(json.dumps(numbers, indent=1))
        for file in partial.iterdir():
            _flush(file)
        shutil.rmtree(final, ignore_errors=True)
        partial.rename(final)
        _flush(folder)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise ArtifactError(
            "A checkpoint could not be written; the last complete one is kept.",
            where=final,
            found=error,
            remedy="make room or choose another folder with --output, then run the same command",
        ) from error
    for older in _complete(folder):
        if older != final:
            shutil.rmtree(older, ignore_errors=True)
    return final


def latest(folder: Path) -> Path | None:
    """The newest complete checkpoint below `folder`, if there is one."""
    return max(_complete(folder), default=None)


def load(path: Path) -> Checkpoint:
    """Reads a checkpoint.

    Raises:
        ArtifactError: It is damaged or of a newer format.
    """
    try:
        numbers = json.loads((path / "state.json").read_text())
        tensors = load_file(path / "state.safetensors")
    except (OSError, ValueError, SafetensorError) as error:
        raise ArtifactError(
            "A checkpoint cannot be read.",
            where=path,
            found=error,
            remedy="remove that folder; training then starts again",
        ) from error
    if numbers.get("format_version") != FORMAT_VERSION:
        raise ArtifactError(
            "A checkpoint has a format that this vaekit does not know.",
            where=path,
            expected=f"format_version {FORMAT_VERSION}",
            found=numbers.get("format_version"),
            remedy="use the vaekit that wrote it, or remove the folder to start again",
        )
    return Checkpoint(tensors, numbers)


def _complete(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*") if path.name.isdigit()] if folder.is_dir() else []


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
