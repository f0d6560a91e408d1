"""A version from its folder: verified, opened, and tried before anybody asks it."""

import hashlib
from collections.abc import Callable, Iterable
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
        about = About(runtime.folder, runtime.reference, runtime.variant)
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
    z = np.zeros((1, runtime.serving.latent_dim))
    tried: dict[str, Callable[[], Iterable[np.ndarray]]] = {
        "encode": lambda: [runtime.encode(x, told)],
        "score": lambda: runtime.score(x, 1, condition=told).values(),
        "decode": lambda: [runtime.decode(z, {c.name: c.example for c in conditions})],
    }
    values = [array for verb in tried if verb in runtime.verbs for array in tried[verb]()]
    if not values or not all(np.isfinite(array).all() for array in values):
        raise ArtifactError(
            "The model does not answer with finite numbers.",
            where=where,
            expected="a finite code and finite scores of an example in the middle of the range",
            found=None if values else "no graph that could be asked",
            remedy="train it again" if values else "vaekit export writes graphs",
        )
