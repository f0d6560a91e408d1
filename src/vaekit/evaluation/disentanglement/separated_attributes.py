"""SAP: how much better the best single dimension predicts a factor than the second best.

    SAP = mean over factors k of (S_ak - S_bk)

S_dk says how well dimension d alone predicts factor k: for a factor with an order, the R^2 of a
straight line; for a categorical one, the balanced accuracy of thresholds, one fewer than there
are values, on examples that they were not fitted to. Chance is 1 / values there, so that a
categorical factor contributes 1 - 1 / values at most.

Reference:
    Kumar, Sattigeri and Balakrishnan (2018), Variational Inference of Disentangled Latent
    Concepts from Unlabeled Observations, section 3, https://arxiv.org/abs/1711.00848
"""

from collections.abc import Collection

import numpy as np
from jaxtyping import Float64, Int64

from vaekit.evaluation.disentanglement.codes import Codes, FactorValues, check, halves


def separated_attribute_predictability(
    codes: Codes, factors: FactorValues, categorical: Collection[int] = (), seed: int = 0
) -> float:
    """SAP, from 0 to 1 (to less, where factors are categorical).

    Args:
        codes: A code for every example.
        factors: Its factors.
        categorical: Columns of the factors whose values have no order.
        seed: Seed of the division of the examples into halves.
    """
    check(codes, factors)
    gaps = []
    for k in range(factors.shape[1]):
        levels = np.unique(factors[:, k], return_inverse=True)[1].reshape(-1)
        scores = sorted(
            _threshold_accuracy(code, levels, seed)
            if k in categorical
            else _explained_variance(code, levels)
            for code in codes.T
        )
        gaps.append(scores[-1] - (scores[-2] if len(scores) > 1 else 0.0))
    return float(np.mean(gaps))


def _explained_variance(code: Float64[np.ndarray, " n"], levels: Int64[np.ndarray, " n"]) -> float:
    """R^2 of a straight line: the squared correlation; zero for a code that never changes."""
    a, b = code - code.mean(), levels - levels.mean()
    spread = (a @ a) * (b @ b)
    return float((a @ b) ** 2 / spread) if spread > 0 else 0.0


def _threshold_accuracy(
    code: Float64[np.ndarray, " n"], levels: Int64[np.ndarray, " n"], seed: int
) -> float:
    from sklearn.tree import DecisionTreeClassifier

    fit, rest = halves(len(code), seed)
    leaves = len(np.unique(levels))
    tree = DecisionTreeClassifier(max_leaf_nodes=leaves, class_weight="balanced", random_state=seed)
    tree.fit(code[fit, None], levels[fit])
    right, truth = tree.predict(code[rest, None]) == levels[rest], levels[rest]
    return float(np.mean([right[truth == level].mean() for level in np.unique(truth)]))
