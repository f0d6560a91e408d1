"""Posteriors q(z | x): what the encoder's outputs mean. Pick one."""

from typing import Annotated, TypeAlias

from pydantic import Field

from vaekit.posteriors.diagonal_gaussian import DiagonalGaussianPosterior, DiagonalGaussianSpec
from vaekit.posteriors.full_covariance import FullCovariancePosterior, FullCovarianceSpec
from vaekit.posteriors.inverse_autoregressive_flow import (
    InverseAutoregressiveFlowPosterior,
    InverseAutoregressiveFlowSpec,
)
from vaekit.posteriors.posterior import Posterior

PosteriorSpec: TypeAlias = Annotated[
    DiagonalGaussianSpec | FullCovarianceSpec | InverseAutoregressiveFlowSpec,
    Field(discriminator="kind"),
]

__all__ = [
    "DiagonalGaussianPosterior",
    "DiagonalGaussianSpec",
    "FullCovariancePosterior",
    "FullCovarianceSpec",
    "InverseAutoregressiveFlowPosterior",
    "InverseAutoregressiveFlowSpec",
    "Posterior",
    "PosteriorSpec",
]
