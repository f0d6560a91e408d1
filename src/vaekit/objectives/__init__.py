"""Objectives: what is maximised in training. Pick one."""

from typing import Annotated, TypeAlias

from pydantic import Field

from vaekit.objectives.beta import BetaSpec, ConstantBeta, CyclicalBeta, LinearBeta
from vaekit.objectives.beta_tcvae import BetaTCVAE, BetaTCVAESpec, KLParts, kl_parts
from vaekit.objectives.capacity import Capacity, CapacitySpec
from vaekit.objectives.dreg import DReG, DReGSpec
from vaekit.objectives.elbo import ELBO, ELBOSpec
from vaekit.objectives.feature_loss import FeatureLoss, FeatureLossSpec
from vaekit.objectives.infovae import InfoVAE, InfoVAESpec, Kernel, mmd_squared
from vaekit.objectives.iwae import IWAE, IWAESpec
from vaekit.objectives.m2 import M2, ClassBounds, M2Spec, class_bounds
from vaekit.objectives.objective import Needs, Objective, Schedule, Terms, check_pair
from vaekit.objectives.reconstruction import Reconstruction, ReconstructionSpec
from vaekit.objectives.stl import STL, STLSpec
from vaekit.objectives.vae_gan import VAEGAN, VAEGANSpec
from vaekit.objectives.wake_sleep import WakeSleep, WakeSleepSpec

ObjectiveSpec: TypeAlias = Annotated[
    ELBOSpec
    | IWAESpec
    | DReGSpec
    | STLSpec
    | WakeSleepSpec
    | CapacitySpec
    | BetaTCVAESpec
    | InfoVAESpec
    | M2Spec
    | ReconstructionSpec
    | VAEGANSpec
    | FeatureLossSpec,
    Field(discriminator="kind"),
]

WEAK_BETA = 0.1
"""A KL of less weight leaves the aggregate posterior about where reconstruction wants it."""


def bound_notes(objective: ObjectiveSpec) -> list[str]:
    """What a reader of a model's numbers should know about what it was trained with."""
    if objective.is_bound:
        return []
    notes = [
        f"Trained with objective.kind = {objective.kind!r} as chosen here, whose value is no bound "
        "on log p(x). Bounds and likelihoods are those of the model, which training did not "
        "maximise."
    ]
    beta = getattr(objective, "beta", None)
    if beta is not None and beta.final < WEAK_BETA:
        notes.append(
            f"The KL had a weight of {beta.final:g}, so that codes of data are hardly where p(z) "
            "puts its mass: samples from the prior say little. A prior learned over the codes of "
            "data, as in latent diffusion, is what would sample."
        )
    return notes


__all__ = [
    "ELBO",
    "IWAE",
    "M2",
    "STL",
    "VAEGAN",
    "BetaSpec",
    "BetaTCVAE",
    "BetaTCVAESpec",
    "Capacity",
    "CapacitySpec",
    "ClassBounds",
    "ConstantBeta",
    "CyclicalBeta",
    "DReG",
    "DReGSpec",
    "ELBOSpec",
    "FeatureLoss",
    "FeatureLossSpec",
    "IWAESpec",
    "InfoVAE",
    "InfoVAESpec",
    "KLParts",
    "Kernel",
    "LinearBeta",
    "M2Spec",
    "Needs",
    "Objective",
    "ObjectiveSpec",
    "Reconstruction",
    "ReconstructionSpec",
    "STLSpec",
    "Schedule",
    "Terms",
    "VAEGANSpec",
    "WakeSleep",
    "WakeSleepSpec",
    "bound_notes",
    "check_pair",
    "class_bounds",
    "kl_parts",
    "mmd_squared",
]
