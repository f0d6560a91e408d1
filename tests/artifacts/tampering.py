"""Artifacts to tamper with: copies of the committed one, with hashes made to fit."""

import json
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

V1 = Path(__file__).parent / "v1"
V1_ONNX = Path(__file__).parent / "v1_onnx"
"""The same artifact, after `vaekit export --int8 --prune 0.5`; the examples were its 250."""


def copied(folder: Path) -> Path:
    """A copy of the artifact of format version 1."""
    shutil.copytree(V1 / "artifact", folder)
    return folder


def rehash(folder: Path) -> None:
    """Makes the list of hashes fit whatever is in the folder: a forger without a key."""
    names = [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()]
    listed = sorted(name for name in names if not name.startswith("SHA256SUMS"))
    lines = [f"{sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in listed]
    (folder / "SHA256SUMS").write_text("".join(lines))


def rewrite(folder: Path, name: str, content: bytes) -> None:
    """Changes a file and hides it."""
    (folder / name).write_bytes(content)
    rehash(folder)


def change_json(folder: Path, name: str, change: Callable[[dict[str, Any]], Any]) -> None:
    """Changes a document in place and hides it."""
    document = json.loads((folder / name).read_text())
    change(document)
    rewrite(folder, name, json.dumps(document).encode())
