"""DCI: whether each dimension serves one factor, each factor one dimension, and how well.

A random forest predicts each factor from the code; R_dk is the importance of dimension d for
factor k (each forest's importances sum to one). With shares P along a row or column of R, and
entropies H to the base of their length:

    disentanglement  sum_d w_d (1 - H(P_d.)),    w_d = sum_k R_dk / sum R
    completeness     mean over k of (1 - H(P_.k))
    informativeness  mean over k of the accuracy on examples that were not fitted to

Chance gives an accuracy of 1 / values.

Reference:
    Eastwood and Williams (2018), A Framework for the Quantitative Evaluation of Disentangled
    Representations (ICLR)
"""

from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float64

from vaekit.evaluation.disentanglement.codes import Codes, FactorValues, check, halves

TREES: Final = 50


class DCI(NamedTuple):
    """The three scores, each from 0 to 1."""

    disentanglement: float
    completeness: float
    informativeness: float


def dci(codes: Codes, factors: FactorValues, seed: int = 0) -> DCI:
    """Disentanglement, completeness and informativeness.

    Args:
        codes: A code for every example.
        factors: Its factors.
        seed: Seed of the forests and of the division of the examples into halves.
    """
    check(codes, factors)
    importance, accuracy = _forests(codes, factors, seed)
    return DCI(*disentanglement_and_completeness(importance), float(np.mean(accuracy)))


def disentanglement_and_completeness(
    importance: Float64[np.ndarray, "latent factors"],
) -> tuple[float, float]:
    """The two scores that follow from how important each dimension is for each factor.

    Example:
        >>> disentanglement_and_completeness(np.eye(3))
        (1.0, 1.0)
    """
    weights = importance.sum(1) / max(importance.sum(), np.finfo(float).tiny)
    return float(weights @ _concentration(importance)), float(_concentration(importance.T).mean())


def _concentration(rows: Float64[np.ndarray, "rows columns"]) -> Float64[np.ndarray, " rows"]:
    """1 - H(shares of a row) to the base of its length; zero for a row of zeros."""
    if rows.shape[1] == 1:
        return np.ones(len(rows))  # there is no other to be mixed up with
    total = rows.sum(1, keepdims=True)
    shares = np.divide(rows, total, out=np.full_like(rows, 1 / rows.shape[1]), where=total > 0)
    logarithms = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    return 1 + (shares * logarithms).sum(1) / np.log(rows.shape[1])


def _forests(
    codes: Codes, factors: FactorValues, seed: int
) -> tuple[Float64[np.ndarray, "latent factors"], list[float]]:
    from sklearn.ensemble import RandomForestClassifier

    fit, rest = halves(len(codes), seed)
    importance, accuracy = [], []
    for k in range(factors.shape[1]):
        forest = RandomForestClassifier(
            TREES,
            # Every split looks at every dimension: of a few, a useless one may be the best.
            max_features=None,  # pyright: ignore[reportArgumentType]
            random_state=seed,
        )
        forest.fit(codes[fit], factors[fit, k])
        importance.append(forest.feature_importances_)
        accuracy.append(float(forest.score(codes[rest], factors[rest, k])))
    return np.stack(importance, axis=1), accuracy
