"""Whether a graph computes what torch computes, and how much another kind of weights changes.

    relative error = max_i |a_i - b_i| / max(|b_i|, root mean square of b)

over the values b of one output for held-out examples. Far below its own typical size a number has
no relative precision to lose: it came out of a sum of larger ones.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from vaekit.artifacts import ScoreChange
from vaekit.errors import ArtifactError

FP32_LIMIT: Final = 1e-4
"""Of the relative error of every output: float32 has 6e-8, and sums over a network's layers and an
image's pixels lose some of it."""
TIES: Final = 0.01
"""Share of the examples of a discrete model that may differ: where two codes are equally far, or
equally likely under the noise, rounding chooses."""
INT8_MEAN_LIMIT: Final = 0.1
"""Of a score's mean absolute change, in standard deviations of that score. An alarm at the worst
1 % of normal scores, moved by a tenth of a deviation, goes off for 0.8 to 1.3 % instead."""
INT8_LARGEST_LIMIT: Final = 1.0
"""Of the change of any one example, in the same units."""
FLOOR: Final = 1e-12


def relative_error(found: np.ndarray, expected: np.ndarray, ties: float = 0.0) -> float:
    """The largest relative error of one output; infinite where only one of both is a number.

    Args:
        found: What the graph gives, (examples, ...).
        expected: What torch gives.
        ties: Share of the examples, those with the largest errors, that are left out.

    Example:
        >>> relative_error(np.array([1.0, 2.5]), np.array([1.0, 2.0]))
        0.25
    """
    theirs, ours = (np.asarray(a, np.float64).reshape(len(a), -1) for a in (found, expected))
    same = (theirs == ours) | (np.isnan(theirs) & np.isnan(ours))
    with np.errstate(invalid="ignore"):
        size = np.sqrt(np.mean(np.square(ours), where=np.isfinite(ours)))
        gap = np.abs(theirs - ours) / np.fmax(np.abs(ours), np.fmax(size, FLOOR))
    wrong = np.where(same, 0.0, np.where(np.isfinite(gap), gap, np.inf))
    each = np.sort(wrong.max(1, initial=0.0))
    return float(each[: len(each) - int(ties * len(each))].max(initial=0.0))


def check_parity(variant: str, verb: str, errors: Mapping[str, float]) -> None:
    """Complains of a graph that is not what torch computes.

    Raises:
        ArtifactError: An output is further off than FP32_LIMIT.
    """
    for output, error in errors.items():
        if not error <= FP32_LIMIT:
            raise ArtifactError(
                f"The graph '{verb}' does not give what torch gives; nothing was written.",
                where=f"variant {variant}, output {output}",
                expected=f"a relative error of at most {FP32_LIMIT:g} on held-out examples",
                found=f"{error:.3g}",
                remedy="run the model with torch (vaekit.load), and report this with its recipe",
            )


def score_changes(
    found: Mapping[str, np.ndarray], plain: Mapping[str, np.ndarray]
) -> dict[str, ScoreChange]:
    """What became of every score; examples without a finite one on both sides are left out."""
    changes = {}
    for name, before in plain.items():
        sound = np.isfinite(before) & np.isfinite(found[name])
        gap = (found[name] - before)[sound]
        size = float(np.abs(gap).mean()) if len(gap) else 0.0
        changes[name] = ScoreChange(
            mean=float(gap.mean()) if len(gap) else 0.0,
            mean_size=size,
            largest=float(np.abs(gap).max(initial=0.0)),
            deviations=size / max(float(before[sound].std()), FLOOR),
        )
    return changes


def check_int8(changes: Mapping[str, ScoreChange], scores: Mapping[str, np.ndarray]) -> None:
    """Complains of weights in int8 that change scores too much.

    Args:
        changes: By score.
        scores: Before; the unit is their standard deviation.

    Raises:
        ArtifactError: A score moved further than the limits.
    """
    for score, change in changes.items():
        spread = max(float(scores[score][np.isfinite(scores[score])].std()), FLOOR)
        for what, size, limit in (
            ("mean", change.deviations, INT8_MEAN_LIMIT),
            ("largest", change.largest / spread, INT8_LARGEST_LIMIT),
        ):
            if not size <= limit:
                raise ArtifactError(
                    "Weights in int8 change the scores of this model too much; nothing was "
                    "written.",
                    where=f"variant int8, output {score}",
                    expected=f"a {what} change of at most {limit:g} standard deviations of it",
                    found=f"{size:.3g} standard deviations",
                    remedy="leave --int8 out",
                )
