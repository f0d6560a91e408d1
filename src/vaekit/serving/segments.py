"""Files of lines that grow, are rotated, mended after a kill, and go when they are old.

    FOLDER/records-TIME-PROCESS-NUMBER.jsonl      one JSON object a line

A process has its own segments, and holds a lock on the one that it writes, so that the next
process can tell which ones a kill has left, and take off a line that it cut short.
"""

import contextlib
import errno
import fcntl
import json
import os
import time
from pathlib import Path
from typing import Any, Final, final

import numpy as np
from pydantic import Field

from vaekit.errors import ArtifactError
from vaekit.spec import Spec

KINDS: Final = ("records", "samples")


@final
class RecordSettings(Spec):
    """What is recorded, and for how long."""

    folder: Path = Field(description="Where segments lie.")
    segment_bytes: int = Field(default=64 * 2**20, ge=4096, description="Size of one segment.")
    keep_bytes: int = Field(default=4 * 2**30, ge=0, description="Of all; the oldest go first.")
    keep_days: float = Field(default=30.0, gt=0, description="After that, a segment goes.")
    waiting: int = Field(default=10_000, ge=1, description="Examples that may wait to be written.")
    sample_rate: float = Field(
        default=0.0, ge=0, le=1, description="Share of examples whose raw values are kept, too."
    )
    sample_days: float = Field(default=7.0, gt=0, description="After that, raw values go.")
    masked: tuple[str, ...] = Field(
        default=(), description="Columns whose raw values and conditions are never kept."
    )


@final
class Segments:
    """The segments of one kind that one process writes, one after the other.

    Args:
        settings: How large, and how long they stay.
        kind: How their names begin.
    """

    def __init__(self, settings: RecordSettings, kind: str) -> None:
        self._settings, self._kind, self._number = settings, kind, 0
        self._descriptor, self._size = -1, 0

    def write(self, lines: bytes) -> None:
        """Appends whole lines; what could be written only in part is taken back.

        Raises:
            OSError: The disk is full, or there is none.
        """
        if self._descriptor < 0 or self._size + len(lines) > self._settings.segment_bytes:
            self._open()
        try:
            if os.write(self._descriptor, lines) < len(lines):
                raise OSError(errno.ENOSPC, "No space left on device")
        except OSError:
            os.ftruncate(self._descriptor, self._size)
            raise
        self._size += len(lines)

    def close(self) -> None:
        """Ends the segment."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def _open(self) -> None:
        self.close()
        folder = self._settings.folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        mend(folder)
        self._retire(folder)
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
        name = f"{self._kind}-{stamp}-{os.getpid()}-{self._number}.jsonl"
        self._number += 1
        how = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
        self._descriptor, self._size = os.open(folder / name, how, 0o600), 0
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def _retire(self, folder: Path) -> None:
        """Removes what is too old, and the oldest of what is too much."""
        is_sample = self._kind == "samples"
        days = self._settings.sample_days if is_sample else self._settings.keep_days
        now, total = time.time(), 0
        for path in sorted(folder.glob(f"{self._kind}-*.jsonl"), reverse=True):
            try:
                found = path.stat()
                total += found.st_size
                if now - found.st_mtime > days * 86400 or total > self._settings.keep_bytes:
                    path.unlink()
            except FileNotFoundError:  # another process was faster
                continue


def mend(folder: Path) -> None:
    """Takes off what a kill left of a last line, in segments that nobody writes any more."""
    for path in (path for kind in KINDS for path in folder.glob(f"{kind}-*.jsonl")):
        with contextlib.suppress(FileNotFoundError), path.open("r+b") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            end = _end_of_last_line(file)
            if end is not None:
                file.truncate(end)


def read(folder: Path, kind: str = "records") -> list[dict[str, Any]]:
    """All whole records in a folder, the oldest first.

    Raises:
        ArtifactError: There are none, or a line is none.
    """
    paths = sorted(folder.glob(f"{kind}-*.jsonl"))
    if not paths:
        raise ArtifactError(
            "There are no records here.",
            where=folder,
            expected=f"files {kind}-*.jsonl, which `vaekit serve --records {folder}` writes",
        )
    found = []
    for path in paths:
        lines = path.read_bytes().split(b"\n")[:-1]  # behind the last end of a line: not whole
        for number, line in enumerate(lines, start=1):
            try:
                found.append(json.loads(line))
            except ValueError as error:
                raise ArtifactError(
                    "A record is damaged.", where=f"{path}, line {number}"
                ) from error
    return found


def _end_of_last_line(file: Any) -> int | None:
    """Where a file should end; None where it does."""
    end = file.seek(0, os.SEEK_END)
    position, tail = end, b""
    while position > 0:
        position = max(0, position - 65536)
        file.seek(position)
        tail = file.read(min(65536, end - position))
        if b"\n" in tail:
            right = position + tail.rindex(b"\n") + 1
            return None if right == end else right
    return None if end == 0 else 0


def as_columns(records: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    """Records as a table: scores under their names, codes as z_0, z_1, ...

    What a record does not have, of another model perhaps, is NaN there.
    """
    flat = [_flat(record) for record in records]
    names = dict.fromkeys(name for row in flat for name in row)
    return {name: _column([row.get(name) for row in flat]) for name in names}


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    nested = {"scores", "z", "condition"}
    row = {name: value for name, value in record.items() if name not in nested}
    row |= record.get("scores", {})
    row |= {f"z_{i}": value for i, value in enumerate(record.get("z", []))}
    return row | {f"condition_{n}": value for n, value in record.get("condition", {}).items()}


def _column(values: list[Any]) -> np.ndarray:
    if any(isinstance(value, str) for value in values):
        return np.array([value or "" for value in values])
    if all(isinstance(value, int) for value in values):
        return np.array(values, np.int64)
    return np.array(values, np.float64)
