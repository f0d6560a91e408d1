"""Many examples from the prior, in files that are whole, at the batch size that is fastest here.

    <folder>/generate.json   what was asked, and what it took
    <folder>/00000.npy       the first shard, raw units; then 00001.npy, ...

A shard depends on what was asked and on its number, and on nothing else: whatever stops the work,
the same call goes on with the shards that are missing, on another machine, too.
"""

import hashlib
import io
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, final

import numpy as np

from vaekit.artifacts import write_file
from vaekit.errors import ArtifactError
from vaekit.runtime.door import Condition
from vaekit.runtime.runtime import Runtime

ASKED: Final = "generate.json"
SMALLEST, LARGEST = 1, 4096
ENOUGH: Final = 1.05
"""A larger batch has to be this much faster, or the smaller one is taken."""
TRIAL_SECONDS: Final = 0.3


@final
class Batch(NamedTuple):
    """A batch size, and what examples cost with it."""

    size: int
    seconds_per_thousand: float

    def cost_per_thousand(self, price_per_hour: float) -> float:
        """In the currency of the price.

        Example:
            >>> Batch(64, 1.8).cost_per_thousand(2.0)
            0.001
        """
        return self.seconds_per_thousand * price_per_hour / 3600


@final
class Asked(NamedTuple):
    """What decides every value.

    Args:
        model: sha256 of the artifact's list of hashes, and the variant.
        examples: How many, in all.
        seed: Of the draws.
        temperature: Factor on the scale of the prior.
        condition: What a conditional model is told, the same for all.
        shard: Examples of a file.
    """

    model: str
    examples: int
    seed: int = 0
    temperature: float = 1.0
    condition: Condition = None
    shard: int = 10_000

    @property
    def shards(self) -> int:
        """How many files there are in the end."""
        return math.ceil(self.examples / self.shard)

    def size_of(self, number: int) -> int:
        """Examples in a file."""
        return min(self.shard, self.examples - number * self.shard)

    def seed_of(self, number: int) -> int:
        """Seed of a file's draws; that of the first is the one that was asked for."""
        if number == 0:
            return self.seed
        key = hashlib.blake2b(f"{self.seed}, shard {number}".encode(), digest_size=7).digest()
        return int.from_bytes(key, "big")


def generate(
    runtime: Runtime,
    asked: Asked,
    folder: Path,
    told: Callable[[int, float], object] = lambda number, seconds: None,
) -> int:
    """Writes the shards that are missing; returns how many those were.

    Args:
        runtime: The model.
        asked: What is wanted.
        folder: Where it goes; it may hold shards of the same work.
        told: Told of every shard, and the seconds it took.

    Raises:
        ArtifactError: The folder holds other work, or cannot be written.
        SpecError: The model has no prior, or what is asked makes no sense.
    """
    left = missing_shards(asked, folder)
    for number in left:
        began = time.perf_counter()
        size, seed = asked.size_of(number), asked.seed_of(number)
        x = runtime.sample(size, seed, asked.temperature, asked.condition)
        content = io.BytesIO()
        np.save(content, x, allow_pickle=False)
        write_file(_shard(folder, number), content.getvalue())
        told(number, time.perf_counter() - began)
    return len(left)


def missing_shards(asked: Asked, folder: Path) -> list[int]:
    """The files that are still to be written; the folder is for this work from now on.

    Raises:
        ArtifactError: The folder holds other work, or cannot be written.
    """
    _claim(folder, asked)
    return [number for number in range(asked.shards) if not _shard(folder, number).is_file()]


def fastest_batch(
    runtime: Runtime, condition: Condition = None, clock: Callable[[], float] = time.perf_counter
) -> tuple[Batch, list[Batch]]:
    """The batch size that is worth it here, and all that were tried.

    Sizes double as long as that makes examples cheaper; what fits into memory bounds them.

    Args:
        runtime: The model; afterwards it works in batches of that size.
        condition: As for `sample`.
        clock: Tells seconds.
    """
    tried: list[Batch] = []
    for size in _sizes(runtime):
        runtime.most_rows = size
        tried.append(Batch(size, _seconds_per_thousand(runtime, size, condition, clock)))
        if len(tried) > 2 and min(tried[-2:], key=_cost) is not min(tried, key=_cost):
            break
    cheapest = min(tried, key=_cost)
    chosen = next(b for b in tried if _cost(b) <= ENOUGH * _cost(cheapest))
    runtime.most_rows = chosen.size
    return chosen, tried


def _cost(batch: Batch) -> float:
    return batch.seconds_per_thousand


def _sizes(runtime: Runtime) -> Iterator[int]:
    runtime.most_rows = LARGEST
    most, size = runtime.rows_at_a_time, SMALLEST
    while size <= most:
        yield size
        size *= 2


def _seconds_per_thousand(
    runtime: Runtime, size: int, condition: Condition, clock: Callable[[], float]
) -> float:
    runtime.sample(size, condition=condition)  # the first of a size is slower
    began, batches = clock(), 0
    while batches == 0 or clock() - began < TRIAL_SECONDS:
        runtime.sample(size, condition=condition)
        batches += 1
    return 1000 * (clock() - began) / (batches * size)


def _claim(folder: Path, asked: Asked) -> None:
    """Writes down what is asked, or finds that it is the same."""
    document = json.loads(json.dumps(asked._asdict()))
    file = folder / ASKED
    found = _found(file)
    if found is not None and found != document:
        differs = [name for name in document if found.get(name) != document[name]]
        raise ArtifactError(
            "The folder holds examples that were asked for differently.",
            where=file,
            expected=", ".join(f"{name} {_shown(found, name)}" for name in differs),
            found=", ".join(f"{name} {document[name]!r}" for name in differs),
            remedy="name another folder with --output, or ask as before",
        )
    if found is None:
        if folder.is_dir() and any(folder.iterdir()):
            raise ArtifactError(
                "The folder holds something else, which is not mixed with examples.",
                where=folder,
                remedy="name another folder with --output",
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ArtifactError(
                "The folder cannot be made.", where=folder, found=error.strerror
            ) from error
        write_file(file, (json.dumps(document, indent=1) + "\n").encode())


def _found(file: Path) -> dict[str, Any] | None:
    if not file.is_file():
        return None
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ArtifactError(
            "What was asked for cannot be read.",
            where=file,
            found=error,
            remedy="remove the folder",
        ) from error


def _shown(found: Mapping[str, Any], name: str) -> str:
    return repr(found.get(name, "nothing"))


def _shard(folder: Path, number: int) -> Path:
    return folder / f"{number:05}.npy"
