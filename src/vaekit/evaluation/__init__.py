"""Measures of a trained model, with their protocol."""

from vaekit.evaluation.aggregate_posterior import (
    Moments,
    active_units,
    mutual_information,
    posterior_moments,
)
from vaekit.evaluation.amortization_gap import amortization_gap
from vaekit.evaluation.annealed_importance_sampling import (
    AISSpec,
    Annealed,
    annealed_importance_sampling,
    sandwich,
)
from vaekit.evaluation.code_length import bits_per_dim
from vaekit.evaluation.code_usage import code_usage, perplexity
from vaekit.evaluation.evaluate import Results, evaluate
from vaekit.evaluation.importance_sampling import Estimate, importance_sampling
from vaekit.evaluation.pixels import ReconstructionError, reconstruction, sharpness
from vaekit.evaluation.task import EvaluationSpec, Progress, check_measurable

__all__ = [
    "AISSpec",
    "Annealed",
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
    "code_usage",
    "evaluate",
    "importance_sampling",
    "mutual_information",
    "perplexity",
    "posterior_moments",
    "reconstruction",
    "sandwich",
    "sharpness",
]
