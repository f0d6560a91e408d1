"""Distributions that torch lacks, and what vaekit asks of a latent factor."""

from vaekit.distributions.bijection import Bijection, Composition, Context, Mapped
from vaekit.distributions.factor import (
    detached,
    from_noise,
    kl_estimate,
    kl_per_dimension,
    log_prob,
    moments,
)
from vaekit.distributions.flow import Flow
from vaekit.distributions.full_covariance_gaussian import FullCovarianceGaussian
from vaekit.distributions.gaussian import Gaussian
from vaekit.distributions.gaussian_mixture import GaussianMixture
from vaekit.distributions.one_hot import OneHot

__all__ = [
    "Bijection",
    "Composition",
    "Context",
    "Flow",
    "FullCovarianceGaussian",
    "Gaussian",
    "GaussianMixture",
    "Mapped",
    "OneHot",
    "detached",
    "from_noise",
    "kl_estimate",
    "kl_per_dimension",
    "log_prob",
    "moments",
]
