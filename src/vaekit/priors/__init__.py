"""Priors p(z | c): where latent codes come from. Pick one."""

from typing import TypeAlias

from vaekit.priors.standard_normal import StandardNormalPrior, StandardNormalSpec

PriorSpec: TypeAlias = StandardNormalSpec

__all__ = ["PriorSpec", "StandardNormalPrior", "StandardNormalSpec"]
