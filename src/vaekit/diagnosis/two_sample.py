"""Whether two sets of points could be draws of one distribution: a classifier two-sample test.

A forest learns to tell half of x from half of y. On the other halves, which it has not seen,
its score orders the points; the area under its curve is the share of pairs that it orders right:

    area = P(score of a point of x > score of a point of y)

One half means that it tells nothing, one that it is never wrong. If both sets are draws of one
distribution, the unseen points can be exchanged whatever the forest has learned, so that the rank
test of Mann and Whitney gives a p-value that holds. Beside the coordinates the forest sees the
distance from the common centre, in which a code that is too wide or too narrow differs most.

References:
    Lopez-Paz and Oquab (2017), Revisiting Classifier Two-Sample Tests,
    https://arxiv.org/abs/1610.06545
    Mann and Whitney (1947), On a Test of Whether one of Two Random Variables is Stochastically
    Larger than the Other
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

TREES = 100


class TwoSample(NamedTuple):
    """What the test says."""

    area: float
    """Share of pairs that are told apart, from 0.5 (not at all) to 1."""
    p_value: float


def two_sample_test(
    x: Float64[np.ndarray, "m features"], y: Float64[np.ndarray, "n features"], seed: int
) -> TwoSample:
    """Whether a classifier tells unseen points of x from those of y.

    Args:
        x: Points, in no order.
        y: Others, in no order.
        seed: Of the forest.
    """
    from scipy.stats import mannwhitneyu
    from sklearn.ensemble import ExtraTreesClassifier  # takes seconds to import

    centre = np.concatenate([x, y]).mean(0)
    points = [np.hstack([p, np.linalg.norm(p - centre, axis=1)[:, None]]) for p in (x, y)]
    learned, unseen = zip(*((p[: len(p) // 2], p[len(p) // 2 :]) for p in points), strict=True)
    forest = ExtraTreesClassifier(TREES, min_samples_leaf=5, bootstrap=False, random_state=seed)
    sides = np.repeat([1, 0], [len(part) for part in learned])
    forest.fit(np.concatenate(learned), sides)
    scores = [np.asarray(forest.predict_proba(part))[:, 1] for part in unseen]
    found = mannwhitneyu(scores[0], scores[1], alternative="greater")
    area = float(found.statistic) / (len(scores[0]) * len(scores[1]))
    return TwoSample(area, float(found.pvalue))
