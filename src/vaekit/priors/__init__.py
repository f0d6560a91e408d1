"""Priors p(z | c): where latent codes come from. Pick one."""

from typing import Annotated, TypeAlias

from pydantic import Field

from vaekit.priors.autoregressive_codes import AutoregressiveCodePrior, AutoregressiveCodesSpec
from vaekit.priors.code_prior import CodePrior
from vaekit.priors.standard_normal import StandardNormalPrior, StandardNormalSpec
from vaekit.priors.uniform_codes import UniformCodePrior, UniformCodesSpec

PriorSpec: TypeAlias = StandardNormalSpec
CodePriorSpec: TypeAlias = Annotated[
    UniformCodesSpec | AutoregressiveCodesSpec, Field(discriminator="kind")
]

__all__ = [
    "AutoregressiveCodePrior",
    "AutoregressiveCodesSpec",
    "CodePrior",
    "CodePriorSpec",
    "PriorSpec",
    "StandardNormalPrior",
    "StandardNormalSpec",
    "UniformCodePrior",
    "UniformCodesSpec",
]
