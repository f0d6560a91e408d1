"""Whether single dimensions of a code stand for single known factors."""

from vaekit.evaluation.disentanglement.all_scores import disentanglement
from vaekit.evaluation.disentanglement.codes import Codes, FactorValues
from vaekit.evaluation.disentanglement.dci import DCI, dci
from vaekit.evaluation.disentanglement.factor_vae_score import factor_vae_score
from vaekit.evaluation.disentanglement.mutual_information_gap import mutual_information_gap
from vaekit.evaluation.disentanglement.separated_attributes import (
    separated_attribute_predictability,
)

__all__ = [
    "DCI",
    "Codes",
    "FactorValues",
    "dci",
    "disentanglement",
    "factor_vae_score",
    "mutual_information_gap",
    "separated_attribute_predictability",
]
