"""Posteriors q(z | x): what the encoder's outputs mean. Pick one."""

from typing import TypeAlias

from vaekit.posteriors.diagonal_gaussian import DiagonalGaussianPosterior, DiagonalGaussianSpec

PosteriorSpec: TypeAlias = DiagonalGaussianSpec

__all__ = ["DiagonalGaussianPosterior", "DiagonalGaussianSpec", "PosteriorSpec"]
