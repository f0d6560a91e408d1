"""Bits per dimension, where log p(x) is the logarithm of a probability.

    binary or whole values under a probability mass:    NLL / (D ln 2)
    integers made continuous by uniform noise:          (NLL + D ln levels) / (D ln 2)

A density of values that were never whole (grey pixels, standardised columns) has no code
length; neither has the cross-entropy of grey pixels under Bernoulli probabilities, which is no
likelihood at all.

Reference:
    Theis, van den Oord and Bethge (2016), A note on the evaluation of generative models,
    https://arxiv.org/abs/1511.01844
"""

import math

from torch.distributions import Distribution

from vaekit.data import Dequantize, Transform

CROSS_ENTROPY_NOTE = (
    "Grey values under a Bernoulli likelihood: what is called log-likelihood here is a "
    "cross-entropy, which does not integrate to one. Compare it with nothing but itself."
)


def bits_per_dim(
    nll_nats: float, values: int, transform: Transform, likelihood: Distribution
) -> float | None:
    """Bits per observed value; None where that is not defined.

    Args:
        nll_nats: Negative log-likelihood, or an upper bound of it, per example.
        values: Observed values D of an example.
        transform: What made the values that were scored.
        likelihood: p(x_i | z) of a single value.
    """
    is_mass = _is_mass(likelihood)
    if is_mass and transform.gives_whole_numbers:
        return nll_nats / (values * math.log(2))
    if not is_mass and isinstance(transform, Dequantize):
        return nll_nats / (values * math.log(2)) + math.log2(transform.levels)
    return None


def is_cross_entropy(transform: Transform, likelihood: Distribution) -> bool:
    """Whether a probability mass is asked for values that are not whole."""
    return _is_mass(likelihood) and not transform.gives_whole_numbers


def _is_mass(likelihood: Distribution) -> bool:
    return likelihood.support is not None and likelihood.support.is_discrete
