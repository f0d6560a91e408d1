"""Priors p(z | c): where latent codes come from. Pick one."""

from typing import Annotated, TypeAlias

from pydantic import Field

from vaekit.priors.autoregressive_codes import AutoregressiveCodePrior, AutoregressiveCodesSpec
from vaekit.priors.code_prior import CodePrior
from vaekit.priors.conditional_gaussian import ConditionalGaussianPrior, ConditionalGaussianSpec
from vaekit.priors.laplace import LaplacePrior, LaplaceSpec
from vaekit.priors.mixture import MixturePrior, MixtureSpec
from vaekit.priors.real_nvp import RealNVPPrior, RealNVPSpec
from vaekit.priors.spike_and_slab import SpikeAndSlabPrior, SpikeAndSlabSpec
from vaekit.priors.standard_normal import StandardNormalPrior, StandardNormalSpec
from vaekit.priors.uniform_codes import UniformCodePrior, UniformCodesSpec
from vaekit.priors.vamp import VampPrior, VampSpec

PriorSpec: TypeAlias = Annotated[
    StandardNormalSpec
    | ConditionalGaussianSpec
    | LaplaceSpec
    | SpikeAndSlabSpec
    | MixtureSpec
    | RealNVPSpec
    | VampSpec,
    Field(discriminator="kind"),
]

TopPriorSpec: TypeAlias = Annotated[
    StandardNormalSpec | LaplaceSpec | SpikeAndSlabSpec | MixtureSpec | RealNVPSpec,
    Field(discriminator="kind"),
]
"""Those of the top of several layers, which need neither a condition nor an encoder."""

CodePriorSpec: TypeAlias = Annotated[
    UniformCodesSpec | AutoregressiveCodesSpec, Field(discriminator="kind")
]

__all__ = [
    "AutoregressiveCodePrior",
    "AutoregressiveCodesSpec",
    "CodePrior",
    "CodePriorSpec",
    "ConditionalGaussianPrior",
    "ConditionalGaussianSpec",
    "LaplacePrior",
    "LaplaceSpec",
    "MixturePrior",
    "MixtureSpec",
    "PriorSpec",
    "RealNVPPrior",
    "RealNVPSpec",
    "SpikeAndSlabPrior",
    "SpikeAndSlabSpec",
    "StandardNormalPrior",
    "StandardNormalSpec",
    "TopPriorSpec",
    "UniformCodePrior",
    "UniformCodesSpec",
    "VampPrior",
    "VampSpec",
]
