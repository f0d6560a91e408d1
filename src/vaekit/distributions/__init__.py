"""Distributions that torch lacks, and what vaekit asks of a latent factor."""

from vaekit.distributions.factor import (
    detached,
    from_noise,
    kl_estimate,
    kl_per_dimension,
    log_prob,
)
from vaekit.distributions.gaussian import Gaussian

__all__ = ["Gaussian", "detached", "from_noise", "kl_estimate", "kl_per_dimension", "log_prob"]
