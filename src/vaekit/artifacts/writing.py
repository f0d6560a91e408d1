"""Artifacts on disk: whole or not at all.

A folder is written beside its final place and renamed when it is whole. One folder cannot take
the place of another in one step: the old one makes room under the name `<name>.replaced`, which
counts as long as there is nothing at the final place. It goes only when the new one is on the disk.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from vaekit.artifacts import checksums
from vaekit.artifacts.contents import SUMS
from vaekit.errors import ArtifactError


def write_artifact(path: Path, files: Mapping[str, bytes]) -> Path:
    """Writes `files`, and their hashes, as the artifact at `path`.

    What is there already is replaced if it is an artifact, and left alone if it is not.

    Raises:
        ArtifactError: Something else is there, or nothing can be written.
    """
    with _written_to(path):
        _check_replaceable(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        try:
            partial.chmod(0o755)  # a temporary folder is the owner's alone
            for name, content in files.items():
                (partial / name).parent.mkdir(parents=True, exist_ok=True)
                _write_through(partial / name, content)
            digests = {name: checksums.digest(content) for name, content in files.items()}
            _write_through(partial / SUMS, checksums.to_text(digests))
            _put(partial, path)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return path


def standing(path: Path) -> Path:
    """Where the artifact of `path` is: there, or where a replacement that died left it."""
    aside = _aside(path)
    return aside if not path.exists() and (aside / SUMS).is_file() else path


def write_file(path: Path, content: bytes, mode: int = 0o644, what: str = "artifact") -> None:
    """Writes one file whole or not at all; its folder is made if need be.

    Args:
        path: Where it goes.
        content: All of it.
        mode: Who may read it.
        what: What it is, for whoever is told that it cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with _written_to(path, what):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def _put(partial: Path, path: Path) -> None:
    aside = _aside(path)
    if path.exists():
        shutil.rmtree(aside, ignore_errors=True)
        path.rename(aside)
    try:
        partial.rename(path)
    except OSError:
        if aside.exists():
            aside.rename(path)
        raise
    _sync_folder(path.parent)
    shutil.rmtree(aside, ignore_errors=True)


def _write_through(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _aside(path: Path) -> Path:
    return path.parent / f"{path.name}.replaced"


def _check_replaceable(path: Path) -> None:
    if not path.exists() or (path / SUMS).is_file():
        return
    if path.is_dir() and not any(path.iterdir()):
        return
    raise ArtifactError(
        "There is something else where the artifact would be.",
        where=path,
        expected="a new or empty folder, or an artifact to replace",
        found="a folder of other files" if path.is_dir() else "a file",
        remedy="choose another place, or move what is there",
    )


@contextmanager
def _written_to(path: Path, what: str = "artifact") -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ArtifactError(
            f"The {what} could not be written; what was there before is kept.",
            where=path,
            found=error.strerror or error,
            remedy="make room or rights there, or choose another place",
        ) from error
