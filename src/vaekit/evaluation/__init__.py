"""Measures of a trained model, with their protocol."""

from vaekit.evaluation.evaluate import EvaluationSpec, Results, evaluate
from vaekit.evaluation.importance_sampling import Estimate, importance_sampling

__all__ = ["Estimate", "EvaluationSpec", "Results", "evaluate", "importance_sampling"]
