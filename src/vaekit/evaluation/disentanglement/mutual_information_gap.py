"""MIG: how much more the best dimension tells of a factor than the second best.

    MIG = mean over factors k of (I(z_a; v_k) - I(z_b; v_k)) / H(v_k)

a and b are the dimensions with the largest and second largest mutual information. Here z is a
deterministic code, and I is that of a histogram with 20 equal bins for each dimension, as in
most published tables; Chen et al. average over draws from q(z | x). A histogram of few examples
finds information where there is none, about (bins - 1)(values - 1) / (2 examples) nats.

References:
    Chen, Li, Grosse and Duvenaud (2018), Isolating Sources of Disentanglement in VAEs, eq. 6,
    https://arxiv.org/abs/1802.04942
    Locatello et al. (2019), Challenging Common Assumptions in the Unsupervised Learning of
    Disentangled Representations, appendix (bins), https://arxiv.org/abs/1811.12359
"""

from typing import Final

import numpy as np
from jaxtyping import Float64, Int64

from vaekit.evaluation.disentanglement.codes import Codes, FactorValues, check

BINS: Final = 20


def mutual_information_gap(codes: Codes, factors: FactorValues, bins: int = BINS) -> float:
    """MIG, from 0 (no dimension tells more than another) to 1.

    Args:
        codes: A code for every example.
        factors: Its factors.
        bins: Equal bins between the least and the largest value of a dimension.

    Example:
        >>> v = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
        >>> round(mutual_information_gap(v.astype(float), v), 6)
        1.0
    """
    check(codes, factors)
    binned = [_binned(codes[:, d], bins) for d in range(codes.shape[1])]
    gaps = []
    for k in range(factors.shape[1]):
        levels = np.unique(factors[:, k], return_inverse=True)[1].reshape(-1)
        told = sorted(_mutual_information(b, levels) for b in binned)
        second = told[-2] if len(told) > 1 else 0.0
        gaps.append((told[-1] - second) / _entropy(np.bincount(levels)))
    return float(np.mean(gaps))


def _binned(values: Float64[np.ndarray, " n"], bins: int) -> Int64[np.ndarray, " n"]:
    edges = np.histogram_bin_edges(values, bins)
    return np.clip(np.searchsorted(edges, values, side="right") - 1, 0, bins - 1)


def _mutual_information(a: Int64[np.ndarray, " n"], b: Int64[np.ndarray, " n"]) -> float:
    """I(a; b) in nats of two columns of whole numbers."""
    joint = np.bincount(a * (b.max() + 1) + b)
    return _entropy(np.bincount(a)) + _entropy(np.bincount(b)) - _entropy(joint)


def _entropy(counts: Int64[np.ndarray, " values"]) -> float:
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())
