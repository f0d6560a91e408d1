"""All scores of one set of codes, under the names they have in results."""

import numpy as np

from vaekit.data import Factors
from vaekit.evaluation.disentanglement.codes import Codes
from vaekit.evaluation.disentanglement.dci import dci
from vaekit.evaluation.disentanglement.factor_vae_score import factor_vae_score
from vaekit.evaluation.disentanglement.mutual_information_gap import mutual_information_gap
from vaekit.evaluation.disentanglement.separated_attributes import (
    separated_attribute_predictability,
)


def disentanglement(codes: Codes, factors: Factors, seed: int) -> dict[str, float]:
    """MIG, SAP, DCI and FactorVAE score.

    Args:
        codes: A code for every example.
        factors: What the examples were made from.
        seed: Seed of everything that is drawn.

    Returns:
        Numbers between 0 and 1, of which larger is better.
    """
    values = factors.values.cpu().numpy().astype(np.int64)
    categorical = [factors.names.index(name) for name in factors.categorical]
    three = dci(codes, values, seed)
    return {
        "mig": mutual_information_gap(codes, values),
        "sap": separated_attribute_predictability(codes, values, categorical, seed),
        "dci_disentanglement": three.disentanglement,
        "dci_completeness": three.completeness,
        "dci_informativeness": three.informativeness,
        "factor_vae_score": factor_vae_score(codes, values, seed),
    }
