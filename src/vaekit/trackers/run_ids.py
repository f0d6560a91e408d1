"""What a run is called elsewhere, kept in its folder: a resumed run goes on under one name."""

import json
from pathlib import Path


def known_id(folder: Path, destination: str) -> str | None:
    """What the run in `folder` is called at a destination; None where it was never told."""
    return _read(folder).get(destination)


def keep_id(folder: Path, destination: str, run_id: str) -> None:
    """Writes down what the run in `folder` is called at a destination."""
    file = _file(folder)
    partial = file.with_name(file.name + ".partial")
    try:
        partial.write_text(json.dumps({**_read(folder), destination: run_id}, indent=1) + "\n")
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def _read(folder: Path) -> dict[str, str]:
    file = _file(folder)
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def _file(folder: Path) -> Path:
    return folder / "trackers.json"
