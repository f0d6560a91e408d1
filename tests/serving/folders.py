"""A folder of models without artifacts in it: what stands for one says how it behaves."""

import hashlib
import os
from pathlib import Path

import numpy as np
from serving.linear_server import LinearRuntime, serving

from vaekit.errors import ArtifactError
from vaekit.serving.opening import Opened


class InfiniteRuntime(LinearRuntime):
    """Whose reconstructions are no numbers."""

    def _decode(self, z: np.ndarray, c: np.ndarray | None) -> np.ndarray:
        return np.full_like(super()._decode(z, c), np.inf)


def put(folder: Path, name: str, version: str, content: str = "good") -> Path:
    """A version, whole at once."""
    place = folder / name / "versions" / version
    place.mkdir(parents=True, exist_ok=True)
    partial = place / ".partial"
    partial.write_text(content)
    partial.replace(place / "SHA256SUMS")
    return place


def alias(folder: Path, name: str, text: str) -> None:
    """The file of aliases, whole at once."""
    partial = folder / name / ".partial"
    partial.write_text(text)
    partial.replace(folder / name / "aliases.json")


def fake_opener(path: Path) -> Opened:
    """Opens what `put` put there: 'good...', 'damaged', 'broken' or 'infinite'."""
    try:
        content = (path / "SHA256SUMS").read_text()
    except OSError as error:
        raise ArtifactError("There is no artifact here.", where=path) from error
    if content == "damaged":
        raise ArtifactError("A file of the artifact was changed after it was written.")
    runtime = LinearRuntime(serving(description=content))
    if content == "broken":
        runtime.fail_on = 0.0
    if content == "infinite":
        runtime = InfiniteRuntime(runtime.serving)
    digest = hashlib.sha256(content.encode() + str(os.getpid()).encode()).hexdigest()
    return Opened(runtime, digest)
