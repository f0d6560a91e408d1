"""How much samples look like the data, in the features of a classifier trained on that data."""

from vaekit.evaluation.sample_quality.class_coverage import class_coverage
from vaekit.evaluation.sample_quality.classifier import Classifier, train_classifier
from vaekit.evaluation.sample_quality.frechet import frechet_distance, frechet_distance_of_gaussians
from vaekit.evaluation.sample_quality.kept_classifier import kept_classifier
from vaekit.evaluation.sample_quality.measure import sample_quality, why_not_sampled
from vaekit.evaluation.sample_quality.precision_recall import precision_recall

__all__ = [
    "Classifier",
    "class_coverage",
    "frechet_distance",
    "frechet_distance_of_gaussians",
    "kept_classifier",
    "precision_recall",
    "sample_quality",
    "train_classifier",
    "why_not_sampled",
]
