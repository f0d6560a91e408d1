"""Distributions that torch lacks, and what vaekit asks of a latent factor."""

from vaekit.distributions.factor import detached, from_noise, kl_per_dimension, log_prob
from vaekit.distributions.gaussian import Gaussian
from vaekit.distributions.one_hot import OneHot

__all__ = ["Gaussian", "OneHot", "detached", "from_noise", "kl_per_dimension", "log_prob"]
