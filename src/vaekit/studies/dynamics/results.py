"""One small JSON file for each finished piece of work, which can be committed and read again.

Readings become columns of five significant digits; what has an entry for every latent dimension is
thinned further where there are many dimensions. Time is kept apart, under `machine`: everything
else in a file is the same, however often the work was interrupted.
"""

import base64
import json
import math
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np

from vaekit.errors import ArtifactError
from vaekit.runs.folder import write

Columns: TypeAlias = dict[str, list[Any]]
Content: TypeAlias = dict[str, Any]

MOST_BYTES: Final = 40_000
NUMBERS_BY_DIMENSION: Final = 120
"""How many numbers a column with an entry for each dimension may have."""


def columns_of(readings: Sequence[Mapping[str, Any]]) -> dict[str, Columns]:
    """Columns over all steps, and those by dimension over some of them.

    The mean over dimensions (the sum, of a KL or a half of a gradient) is kept at every step.
    """
    lists = [key for key, value in readings[0].items() if isinstance(value, list)]
    plain = [key for key in readings[0] if key not in (*lists, "seconds")]
    curves: Columns = {key: [rounded(row[key]) for row in readings] for key in plain}
    for key in lists:
        curves[key] = [rounded(_pooled(key, row[key])) for row in readings]
    width = max((len(readings[0][key]) for key in lists), default=1)
    few = thinned(len(readings), NUMBERS_BY_DIMENSION // width)
    by_dimension: Columns = {key: [rounded(readings[i][key], 4) for i in few] for key in lists}
    by_dimension["step"] = [readings[i]["step"] for i in few]
    return {"curves": curves, "by_dimension": by_dimension}


def thinned(count: int, most: int) -> list[int]:
    """At most so many of the indices below `count`, evenly, with the first and the last.

    Example:
        >>> thinned(10, 4)
        [0, 3, 6, 9]
    """
    chosen = np.linspace(0, count - 1, min(count, max(2, most))).round().astype(int)
    return sorted({int(index) for index in chosen})


def rounded(value: Any, digits: int = 5) -> Any:
    """A number, or numbers within lists, to so many significant digits; not finite is null.

    Example:
        >>> rounded([1234.5678, 0.000012345678, 7])
        [1234.6, 1.2346e-05, 7]
    """
    if isinstance(value, Mapping):
        return {key: rounded(one, digits) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(one, digits) for one in value]
    if isinstance(value, float):
        return float(f"{value:.{digits}g}") if math.isfinite(value) else None
    return value


def packed(images: np.ndarray) -> str:
    """Grey images (n, height, width) in [0, 1] as text, to 1/63."""
    levels = np.round(np.clip(images, 0, 1) * 63).astype(np.uint8)
    return base64.b64encode(zlib.compress(levels.tobytes(), 9)).decode()


def unpacked(text: str, count: int) -> np.ndarray:
    """The `count` square images that `packed` made text of, as (count, 1, side, side)."""
    levels = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8)
    side = math.isqrt(levels.size // count)
    return levels.reshape(count, 1, side, side).astype(float) / 63


def write_result(path: Path, content: Content) -> None:
    """Writes a result whole or not at all, a line for each of its parts."""
    lines = (
        f"{json.dumps(key)}:{json.dumps(value, separators=(',', ':'), allow_nan=False)}"
        for key, value in content.items()
    )
    write(path, "{\n" + ",\n".join(lines) + "\n}\n")


def read_result(path: Path) -> Content:
    """What `write_result` wrote.

    Raises:
        ArtifactError: It is damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        _ = content["name"], content["settings"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ArtifactError(
            "A result of the study cannot be read.",
            where=path,
            found=f"{type(error).__name__}: {error}",
            remedy="remove that file; the same command computes it again",
        ) from error
    return content


def _pooled(key: str, values: Sequence[float]) -> float:
    total = sum(values)
    return total if key == "kl" or key.endswith("_half") else total / len(values)
