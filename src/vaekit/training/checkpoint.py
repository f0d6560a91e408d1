"""Checkpoints: complete, atomic, without pickle.

    checkpoint/00001200/state.safetensors    every tensor
    checkpoint/00001200/state.json           every number, and the digest of the tensors

A checkpoint is written beside its final name, flushed to the disk, and renamed when it is
whole: at every moment, whenever the process or the machine dies, there is a complete one.
What came before is removed only after that. A folder cannot replace another in one step, so
a checkpoint of the same step first makes room under the name `00001200.replaced`, which
counts as long as there is no better one.
"""

import hashlib
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from vaekit.errors import ArtifactError

FORMAT_VERSION = 1
TENSORS, NUMBERS = "state.safetensors", "state.json"
_OURS = re.compile(r"(\d+)(\.replaced|\.partial)?")


class Checkpoint(NamedTuple):
    """What a run needs to go on."""

    tensors: dict[str, Tensor]
    numbers: dict[str, Any]


def save(folder: Path, step: int, checkpoint: Checkpoint) -> Path:
    """Writes a checkpoint below `folder` and removes older ones.

    Raises:
        ArtifactError: It could not be written; the one before is kept.
    """
    final, partial = folder / f"{step:08d}", folder / f"{step:08d}.partial"
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        _write(partial, step, checkpoint)
        if final.exists():
            _make_room(final)
        partial.rename(final)
        _flush(folder)
        _flush(folder.parent)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise ArtifactError(
            "A checkpoint could not be written; the one before is kept.",
            where=final,
            found=error,
            remedy="make room or rights there, then run the same command to go on",
        ) from error
    for other in folder.iterdir():
        if other != final and _OURS.fullmatch(other.name):
            shutil.rmtree(other, ignore_errors=True)
    return final


def latest(folder: Path) -> Path | None:
    """The newest complete checkpoint below `folder`, if there is one."""
    if not folder.is_dir():
        return None
    complete = {_rank(path): path for path in folder.iterdir() if _is_complete(path)}
    return complete[max(complete)] if complete else None


def load(path: Path) -> Checkpoint:
    """Reads a checkpoint.

    Raises:
        ArtifactError: It is damaged or of another format.
    """
    try:
        numbers = json.loads((path / NUMBERS).read_text(encoding="utf-8"))
        _check_version(path, dict(numbers).get("format_version"))
        if numbers["sha256"] != _digest(path / TENSORS):
            raise ValueError(f"{TENSORS} is not what was written")
        tensors = load_file(path / TENSORS)
    except (OSError, ValueError, TypeError, KeyError, SafetensorError) as error:
        raise ArtifactError(
            "A checkpoint cannot be read.",
            where=path,
            found=f"{type(error).__name__}: {error}",
            remedy="remove that folder; training then starts again",
        ) from error
    return Checkpoint(tensors, numbers)


def _check_version(path: Path, version: Any) -> None:
    if version != FORMAT_VERSION:
        raise ArtifactError(
            "A checkpoint has a format that this vaekit does not know.",
            where=path,
            expected=f"format_version {FORMAT_VERSION}",
            found=version,
            remedy="use the vaekit that wrote it, or remove the folder to start again",
        )


def _write(partial: Path, step: int, checkpoint: Checkpoint) -> None:
    save_file({k: v.contiguous() for k, v in checkpoint.tensors.items()}, partial / TENSORS)
    numbers = {
        "format_version": FORMAT_VERSION,
        "sha256": _digest(partial / TENSORS),
        "step": step,
        **checkpoint.numbers,
    }
    (partial / NUMBERS).write_text(json.dumps(numbers, indent=1), encoding="utf-8")
    for path in (partial / TENSORS, partial / NUMBERS, partial):
        _flush(path)


def _make_room(final: Path) -> None:
    replaced = final.with_name(f"{final.name}.replaced")
    shutil.rmtree(replaced, ignore_errors=True)
    final.rename(replaced)


def _is_complete(path: Path) -> bool:
    """Whether nothing is missing; one that was being removed lacks a file."""
    name = _OURS.fullmatch(path.name)
    ours = name is not None and name[2] != ".partial"
    return ours and (path / TENSORS).is_file() and (path / NUMBERS).is_file()


def _rank(path: Path) -> tuple[int, bool]:
    return int(path.name.split(".")[0]), path.suffix == ""


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _flush(path: Path) -> None:
    """Waits until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
