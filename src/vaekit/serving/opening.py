"""A version from its folder: verified, opened, and tried before anybody asks it."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Shaped

from vaekit.artifacts import SUMS
from vaekit.errors import ArtifactError
from vaekit.runtime import Runtime, open_runtime
from vaekit.schema import Schema
from vaekit.serving.models import About


class Opened(NamedTuple):
    """A model, the hash of what it was opened from, and what else is known of it."""

    runtime: Runtime
    digest: str
    about: About | None = None


Opener: TypeAlias = Callable[[Path], Opened]
"""Opens the artifact in a folder."""


def opener(public_key: Path | None = None, variant: str = "fp32", threads: int = 1) -> Opener:
    """Opens artifacts.

    Args:
        public_key: Who must have signed them.
        variant: Which of the artifact's graphs runs.
        threads: Threads for one operation.
    """

    def open_version(path: Path) -> Opened:
        runtime = open_runtime(path, public_key=public_key, variant=variant, threads=threads)
        sums = (runtime.path / SUMS).read_bytes()
        about = About(runtime.folder, runtime.reference)
        return Opened(runtime, hashlib.sha256(sums).hexdigest(), about)

    return open_version


def blank(schema: Schema) -> Shaped[np.ndarray, "1 *event"]:
    """An example in the middle of the range."""
    middle = (schema.low or 0.0) if schema.high is None else ((schema.low or 0.0) + schema.high) / 2
    return np.full((1, *schema.event_shape), middle if schema.is_float else round(middle))


def try_out(runtime: Runtime, where: Path) -> None:
    """Asks a model something before anybody else does; the first call is the slow one, too.

    Raises:
        ArtifactError: It does not answer with numbers.
    """
    x, conditions = blank(runtime.schema), runtime.serving.conditions
    told = {c.name: c.example for c in conditions if not c.optional}
    values = [runtime.encode(x, told), *runtime.score(x, 1, condition=told).values()]
    if not all(np.isfinite(array).all() for array in values):
        raise ArtifactError(
            "The model does not answer with finite numbers.",
            where=where,
            expected="a finite code and finite scores of an example in the middle of the range",
            remedy="train it again",
        )
