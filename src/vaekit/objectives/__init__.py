"""Objectives: what is maximised in training. Pick one."""

from typing import Annotated, TypeAlias

from pydantic import Field

from vaekit.objectives.beta import BetaSpec, ConstantBeta, CyclicalBeta, LinearBeta
from vaekit.objectives.elbo import ELBO, ELBOSpec
from vaekit.objectives.iwae import IWAE, IWAESpec
from vaekit.objectives.objective import Needs, Objective, Schedule, Terms, check_pair
from vaekit.objectives.reconstruction import Reconstruction, ReconstructionSpec

ObjectiveSpec: TypeAlias = Annotated[
    ELBOSpec | IWAESpec | ReconstructionSpec, Field(discriminator="kind")
]

__all__ = [
    "ELBO",
    "IWAE",
    "BetaSpec",
    "ConstantBeta",
    "CyclicalBeta",
    "ELBOSpec",
    "IWAESpec",
    "LinearBeta",
    "Needs",
    "Objective",
    "ObjectiveSpec",
    "Reconstruction",
    "ReconstructionSpec",
    "Schedule",
    "Terms",
    "check_pair",
]
