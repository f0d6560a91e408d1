"""Scores of examples from draws of z, in nats.

    elbo = E_q[log p(x | z)] - KL(q(z | x) || p(z))
    log p(x) ~ log 1/k sum_i p(x, z_i) / q(z_i | x)

Blocks of samples are added up in float64, so that k is not bounded by memory.
"""

import math
from typing import NamedTuple, final

import numpy as np
from jaxtyping import Float, Float64, Shaped

from vaekit.schema import Schema


@final
class Draws(NamedTuple):
    """What a model says of some samples of z for some examples.

    The last two are absent where a model has no density.
    """

    log_likelihood: Float64[np.ndarray, "samples examples"]
    """log p(x | z)."""
    log_weights: Float64[np.ndarray, "samples examples"] | None = None
    """log p(x, z) - log q(z | x)."""
    kl: Float64[np.ndarray, " examples"] | None = None
    """KL(q || p), exact or the mean over these samples."""
    each: int = 1
    """How many samples a row stands for: of a graph that reduces its samples, it is the mean of
    log p(x | z), and the logarithm of the mean of the weights."""


@final
class Record(NamedTuple):
    """What is kept of examples that were scored."""

    scores: dict[str, Float64[np.ndarray, " examples"]]
    z: Float[np.ndarray, "examples latent"]
    """Their codes."""


@final
class ScoreSums:
    """Adds up blocks of samples of the same examples."""

    def __init__(self) -> None:
        self._samples = 0
        self._log_likelihood: list[np.ndarray] = []
        self._log_weights: list[np.ndarray] = []
        self._kl: list[np.ndarray] = []

    def add(self, draws: Draws) -> None:
        """Takes another block."""
        samples = len(draws.log_likelihood) * draws.each
        self._samples += samples
        self._log_likelihood.append(draws.each * draws.log_likelihood.sum(0))
        if draws.log_weights is not None and draws.kl is not None:
            total = np.logaddexp.reduce(draws.log_weights, axis=0)
            self._log_weights.append(math.log(draws.each) + total)
            self._kl.append(samples * draws.kl)

    def scores(self) -> dict[str, Float64[np.ndarray, " examples"]]:
        """The scores of every example."""
        fit = sum(self._log_likelihood) / self._samples
        if not self._kl:
            return {"expected_log_likelihood_nats": np.asarray(fit)}
        kl = sum(self._kl) / self._samples
        total = np.logaddexp.reduce(np.stack(self._log_weights), axis=0)
        return {
            "elbo_nats": np.asarray(fit - kl),
            "expected_log_likelihood_nats": np.asarray(fit),
            "kl_nats": np.asarray(kl),
            "log_likelihood_nats": total - math.log(self._samples),
        }


def squared_error(
    x: Shaped[np.ndarray, "examples *event"],
    reconstruction: Float[np.ndarray, "examples *event"],
    schema: Schema,
) -> Float64[np.ndarray, " examples"]:
    """Mean squared error per value, in units of the range where there is one.

    It is the mean over values that were observed, and zero where none was.
    """
    low, high = schema.low, schema.high
    width = 1.0 if low is None or high is None else high - low
    gap = (reconstruction.astype(np.float64) - x) / width
    seen, values = ~np.isnan(gap), tuple(range(1, gap.ndim))
    return np.nansum(np.square(gap), axis=values) / np.maximum(seen.sum(values), 1)
