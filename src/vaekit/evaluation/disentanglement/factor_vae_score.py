"""FactorVAE score: whether the dimension that rests tells which factor was held.

A vote: examples that share the value of one factor are drawn, and the dimension of least
variance among them, relative to its variance over all, is named. A table says for each
dimension which factor was held most often when it was named; the score is the share of fresh
votes that the table gets right. Chance is 1 / factors. Dimensions that hardly change are left
out: they would always win.

Reference:
    Kim and Mnih (2018), Disentangling by Factorising, section 4,
    https://arxiv.org/abs/1802.05983
"""

from typing import Final

import numpy as np
from jaxtyping import Int64

from vaekit.evaluation.disentanglement.codes import Codes, FactorValues, check

VOTES: Final = 5000
EXAMPLES_PER_VOTE: Final = 64
HARDLY: Final = 0.05
"""Variance of a posterior mean, under a prior of variance one."""
_AT_A_TIME: Final = 500


def factor_vae_score(codes: Codes, factors: FactorValues, seed: int = 0) -> float:
    """The score, from 0 to 1; zero where no dimension changes.

    Args:
        codes: A code for every example.
        factors: Its factors.
        seed: Seed of which factors are held and which examples are drawn.
    """
    check(codes, factors)
    codes = codes[:, codes.var(0) > HARDLY]
    if codes.shape[1] == 0:
        return 0.0
    source = np.random.default_rng(seed)
    named, held = _votes(codes / codes.std(0), factors, source)
    table = np.zeros((codes.shape[1], factors.shape[1]), np.int64)
    np.add.at(table, (named, held), 1)
    named, held = _votes(codes / codes.std(0), factors, source)
    return float((table.argmax(1)[named] == held).mean())


def _votes(
    codes: Codes, factors: FactorValues, source: np.random.Generator
) -> tuple[Int64[np.ndarray, " votes"], Int64[np.ndarray, " votes"]]:
    """The dimension that each vote names, and the factor that was held."""
    held = source.integers(factors.shape[1], size=VOTES)
    named = np.empty(VOTES, np.int64)
    for k in range(factors.shape[1]):
        votes = np.flatnonzero(held == k)
        for start in range(0, len(votes), _AT_A_TIME):
            some = votes[start : start + _AT_A_TIME]
            alike = _drawn_alike(factors[:, k], len(some), source)
            named[some] = codes[alike].var(1).argmin(1)
    return named, held


def _drawn_alike(
    factor: Int64[np.ndarray, " examples"], votes: int, source: np.random.Generator
) -> Int64[np.ndarray, "votes drawn"]:
    """For each vote, examples with the value that a random example has, with replacement."""
    order = np.argsort(factor, kind="stable")
    value = factor[source.integers(len(factor), size=votes)]
    first = np.searchsorted(factor[order], value, side="left")[:, None]
    behind = np.searchsorted(factor[order], value, side="right")[:, None]
    share = source.random((votes, EXAMPLES_PER_VOTE))
    return order[first + (share * (behind - first)).astype(np.int64)]
