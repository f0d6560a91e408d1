"""The numbers that decide, from the readings of one training.

Readings lie evenly on the logarithm of time, so a window of some readings is a window of log time,
and changes between windows are rates by log time. All are computed from the held-out examples that
the instruments saw.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.stats import rankdata

Curve = Float[np.ndarray, " _"]

WINDOW: Final = 5
BLOCK: Final = 4
MOST_LAG: Final = 2


class Turn(NamedTuple):
    """How far a curve falls from its start to its minimum, and rises from there to its end."""

    fall: float
    rise: float
    at: int
    """Index of the minimum."""


def turn(values: Curve) -> Turn:
    """Fall and rise of the running median.

    Example:
        >>> turn(np.array([0.0, -1.0, -2.0, -3.0, -3.0, -3.0, -2.0, -1.0, -1.0]))
        Turn(fall=3.0, rise=2.0, at=3)
    """
    smooth = running_median(values)
    at = int(smooth.argmin())
    return Turn(float(smooth[0] - smooth[at]), float(smooth[-1] - smooth[at]), at)


def running_median(values: Curve, window: int = WINDOW) -> Curve:
    """The median of `window` neighbours, of fewer (as many on each side) at the ends."""
    reach = [min(window // 2, i, len(values) - 1 - i) for i in range(len(values))]
    return np.array([np.median(values[i - r : i + r + 1]) for i, r in enumerate(reach)])


def rates(values: Curve, block: int = BLOCK) -> Curve:
    """Changes between the means of successive blocks of readings."""
    count = len(values) // block
    return np.diff(values[len(values) - count * block :].reshape(count, block).mean(1))


def correlation(one: Curve, other: Curve) -> float:
    """Pearson's; NaN where one of the two does not vary or there are fewer than four."""
    if len(one) < 4 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])


def proportionality(one: Curve, other: Curve) -> float:
    """Correlation about zero, the cosine: one only where the two are proportional, with a sign.

    Example:
        >>> proportionality(np.array([1.0, 2.0, 3.0, 4.0]), np.array([-1.0, -2.0, -3.0, -4.0]))
        -1.0
    """
    lengths = np.linalg.norm(one) * np.linalg.norm(other)
    return (
        float("nan") if len(one) < 4 or lengths == 0 else float((one @ other / lengths).round(12))
    )


def rank_correlation(one: Sequence[float], other: Sequence[float]) -> float:
    """Spearman's; NaN where one of the two does not vary or there are fewer than three.

    Example:
        >>> rank_correlation([1, 2, 3], [-1, -10, -100])
        -1.0
    """
    if len(one) < 3 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    ranks = np.array([rankdata(one), rankdata(other)])
    return float(np.corrcoef(ranks)[0, 1].round(12))


def detrended(values: Curve) -> Curve:
    """What a straight line leaves; nothing of fewer than four values."""
    if len(values) < 4:
        return values[:0]
    index = np.arange(len(values))
    return values - np.polyval(np.polyfit(index, values, 1), index)


def lagged(driver: Curve, driven: Curve) -> dict[str, float]:
    """Correlation at every lag up to two blocks; a positive lag lets the driver come first."""
    found: dict[str, float] = {}
    for lag in range(-MOST_LAG, MOST_LAG + 1):
        first = driver[: len(driver) - lag] if lag >= 0 else driver[-lag:]
        second = driven[lag:] if lag >= 0 else driven[: len(driven) + lag]
        found[f"{lag:+d}"] = correlation(first, second)
    return found


def change_over_last_doubling(step: Curve, values: Curve) -> float:
    """Value at the end less the one at half the time, both medians of their neighbourhood."""
    smooth = running_median(values)
    half = np.interp(np.log(step[-1] / 2), np.log(np.maximum(step, 1)), smooth)
    return float(np.median(values[-3:]) - half)


def slope(x: Sequence[float], y: Sequence[float], most: float) -> float:
    """Of log y by x where |x| <= `most`; NaN where y is not positive there."""
    chosen = [(a, b) for a, b in zip(x, y, strict=True) if abs(a) <= most]
    if len(chosen) < 2 or min(b for _, b in chosen) <= 0:
        return float("nan")
    at, logs = [a for a, _ in chosen], np.log([b for _, b in chosen])
    return float(np.polyfit(at, logs, 1)[0])


def curve(content: dict[str, Any], name: str) -> Curve:
    """A column of a result; what was not finite is NaN."""
    return np.array(content["curves"][name], dtype=float)
