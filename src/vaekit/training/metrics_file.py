"""The log of a run: one JSON object per line, cut back to the checkpoint on resume."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import final

from vaekit.errors import ArtifactError, DivergenceError
from vaekit.training.listener import Listener, Plan, Record


@final
class MetricsFile(Listener):
    """Writes every record to a file; a run whose log cannot be written stops.

    A run that diverges has a last record of kind "divergence", which says why.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._step, self._plan = 0, Plan(0, 0, 1, 1)

    def started(self, plan: Plan) -> None:
        """Drops what was logged after the checkpoint: it will be logged again."""
        self._step, self._plan = plan.first_step, plan
        with self._guarded():
            records = read_metrics(self.path)
            kept = [
                record
                for record in records
                if int(record["step"]) <= plan.first_step and record.get("kind") != "divergence"
            ]
            partial = self.path.with_name(self.path.name + ".partial")
            _write(partial, "w", kept, flush=True)
            partial.replace(self.path)

    def stepped(self, step: int, reported: Record) -> None:
        self._step = step

    def logged(self, record: Record) -> None:
        with self._guarded():
            _write(self.path, "a", [record])

    def finished(self) -> None:
        error = sys.exception()
        if isinstance(error, DivergenceError):
            record: Record = {
                "kind": "divergence",
                "step": self._step,
                "epoch": self._step / self._plan.steps_per_epoch,
                "examples_seen": self._step * self._plan.batch_size,
                "problem": error.problem,
            }
            with self._guarded():
                _write(self.path, "a", [record])

    def saving(self, step: int) -> None:
        """Brings the log to the disk first, so that no checkpoint is ahead of it."""
        with self._guarded():
            _write(self.path, "a", [], flush=True)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ArtifactError(
                "The log of the run could not be written; the last checkpoint is kept.",
                where=self.path,
                found=error,
                remedy="make room or rights there, then run the same command to go on",
            ) from error


def read_metrics(path: Path) -> list[Record]:
    """The records of a log; a last line cut short by a crash is left out.

    Raises:
        ArtifactError: Another line is damaged.
    """
    if not path.exists():
        return []
    whole = path.read_bytes().split(b"\n")[:-1]
    return [_parsed(path, number, line) for number, line in enumerate(whole, start=1)]


def _parsed(path: Path, number: int, line: bytes) -> Record:
    try:
        record = json.loads(line)
        int(record["step"])
    except (ValueError, TypeError, KeyError) as error:
        raise ArtifactError(
            "The log of a run is damaged.",
            where=f"{path}, line {number}",
            expected='a JSON object with a "step"',
            found=repr(line[:80]),
            remedy="remove that line",
        ) from error
    return record


def _write(path: Path, mode: str, records: Sequence[Record], flush: bool = False) -> None:
    with path.open(mode, encoding="utf-8") as file:
        file.write("".join(json.dumps(record) + "\n" for record in records))
        if flush:
            file.flush()
            os.fsync(file.fileno())
