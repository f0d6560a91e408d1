"""Measures of a trained model, with their protocol."""

from vaekit.evaluation.aggregate_posterior import (
    Moments,
    active_units,
    mutual_information,
    pooled_code,
    posterior_moments,
)
from vaekit.evaluation.amortization_gap import amortization_gap
from vaekit.evaluation.annealed_importance_sampling import (
    AISSpec,
    Annealed,
    annealed_importance_sampling,
    sandwich,
)
from vaekit.evaluation.classification import classified
from vaekit.evaluation.code_length import bits_per_dim
from vaekit.evaluation.code_usage import code_usage, perplexity
from vaekit.evaluation.disentanglement import (
    DCI,
    dci,
    disentanglement,
    factor_vae_score,
    mutual_information_gap,
    separated_attribute_predictability,
)
from vaekit.evaluation.evaluate import Results, evaluate
from vaekit.evaluation.importance_sampling import Estimate, importance_sampling
from vaekit.evaluation.pixels import (
    ReconstructionError,
    reconstruction,
    sample_means,
    sharpness,
)
from vaekit.evaluation.sample_quality import (
    Classifier,
    class_coverage,
    frechet_distance,
    frechet_distance_of_gaussians,
    kept_classifier,
    precision_recall,
    train_classifier,
)
from vaekit.evaluation.sparsity import hoyer_sparsity
from vaekit.evaluation.task import EvaluationSpec, Progress, check_measurable

__all__ = [
    "DCI",
    "AISSpec",
    "Annealed",
    "Classifier",
    "Estimate",
    "EvaluationSpec",
    "Moments",
    "Progress",
    "ReconstructionError",
    "Results",
    "active_units",
    "amortization_gap",
    "annealed_importance_sampling",
    "bits_per_dim",
    "check_measurable",
    "class_coverage",
    "classified",
    "code_usage",
    "dci",
    "disentanglement",
    "evaluate",
    "factor_vae_score",
    "frechet_distance",
    "frechet_distance_of_gaussians",
    "hoyer_sparsity",
    "importance_sampling",
    "kept_classifier",
    "mutual_information",
    "mutual_information_gap",
    "perplexity",
    "pooled_code",
    "posterior_moments",
    "precision_recall",
    "reconstruction",
    "sample_means",
    "sandwich",
    "separated_attribute_predictability",
    "sharpness",
    "train_classifier",
]
