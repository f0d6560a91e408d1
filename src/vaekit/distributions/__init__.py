"""Distributions that torch lacks, and what vaekit asks of a latent factor."""

from vaekit.distributions.bijection import Bijection, Composition, Context, Mapped
from vaekit.distributions.factor import (
    detached,
    from_noise,
    kl_estimate,
    kl_per_dimension,
    log_prob,
    moments,
    noise_size,
)
from vaekit.distributions.flow import Flow
from vaekit.distributions.full_covariance_gaussian import FullCovarianceGaussian
from vaekit.distributions.gaussian import Gaussian
from vaekit.distributions.gaussian_mixture import GaussianMixture
from vaekit.distributions.laplace import Laplace
from vaekit.distributions.one_hot import OneHot
from vaekit.distributions.spike_and_slab import SpikeAndSlab

__all__ = [
    "Bijection",
    "Composition",
    "Context",
    "Flow",
    "FullCovarianceGaussian",
    "Gaussian",
    "GaussianMixture",
    "Laplace",
    "Mapped",
    "OneHot",
    "SpikeAndSlab",
    "detached",
    "from_noise",
    "kl_estimate",
    "kl_per_dimension",
    "log_prob",
    "moments",
    "noise_size",
]
