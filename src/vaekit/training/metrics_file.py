"""The log of a run: one JSON object per line, cut back to the checkpoint on resume."""

import json
from pathlib import Path
from typing import final

from vaekit.errors import ArtifactError
from vaekit.training.listener import Listener, Plan, Record


@final
class MetricsFile(Listener):
    """Writes every record to a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def started(self, plan: Plan) -> None:
        kept = [
            record for record in read_metrics(self.path) if int(record["step"]) <= plan.first_step
        ]
        partial = self.path.with_suffix(".partial")
        self._guarded(lambda: partial.write_text("".join(map(_line, kept))))
        self._guarded(lambda: partial.replace(self.path))

    def logged(self, record: Record) -> None:
        self._guarded(lambda: self._append(_line(record)))

    def _append(self, line: str) -> None:
        with self.path.open("a") as file:
            file.write(line)

    def _guarded(self, write) -> None:
        try:
            write()
        except OSError as error:
            raise ArtifactError(
                "The log of the run could not be written; the last checkpoint is kept.",
                where=self.path,
                found=error,
                remedy="make room, then run the same command to go on",
            ) from error


def read_metrics(path: Path) -> list[Record]:
    """The records of a log; a last line cut short by a crash is left out."""
    if not path.exists():
        return []
    lines = path.read_text().split("\n")
    return [json.loads(line) for line in lines[:-1]]


def _line(record: Record) -> str:
    return json.dumps(record) + "\n"
