"""Tables on disk: CSV and Markdown, whole or not at all."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from vaekit.runs.folder import write

Rows: TypeAlias = Sequence[Mapping[str, Any]]
"""Values by the name of their column; a row may lack some."""


def columns(rows: Rows) -> list[str]:
    """Every column of some row, in the order in which they are met.

    Example:
        >>> columns([{"a": 1}, {"a": 2, "b": 3}])
        ['a', 'b']
    """
    return list(dict.fromkeys(key for row in rows for key in row))


def write_csv(path: Path, rows: Rows) -> Path:
    """Writes a table; returns where it is."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns(rows), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write(path, text.getvalue())
    return path


def markdown(rows: Rows) -> str:
    r"""A table for documents.

    Example:
        >>> print(markdown([{"a": "x|y", "b": 2}]))
        | a | b |
        | --- | --- |
        | x\|y | 2 |
    """
    keys = columns(rows)
    body = [[str(row.get(key, "")).replace("|", r"\|") for key in keys] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in [keys, ["---"] * len(keys), *body])
