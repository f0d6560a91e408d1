"""Sample quality of a trained model, beside what real training examples would reach.

Samples (means of p(x | z) for fresh z, as raw values) are compared with the examples of a split.
The floor is the same comparison with as many training examples in the place of the samples.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, final

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from vaekit.evaluation.pixels import sample_means
from vaekit.evaluation.sample_quality.class_coverage import class_coverage, class_shares
from vaekit.evaluation.sample_quality.classifier import VERSION, Classifier
from vaekit.evaluation.sample_quality.frechet import frechet_distance
from vaekit.evaluation.sample_quality.kept_classifier import kept_classifier
from vaekit.evaluation.sample_quality.precision_recall import precision_recall
from vaekit.evaluation.task import FEWEST_COMPARED, Task
from vaekit.numerics import generator_for

_BLOCK: Final = 1000


@final
@dataclass(frozen=True)
class Seen:
    """Pictures, as the classifier sees them."""

    features: Float[Tensor, "n features"]
    classes: Int64[Tensor, " n"]


def why_not_sampled(task: Task) -> str | None:
    """Why sample quality is not defined here; None where it is."""
    schema, splits = task.dataset.schema, task.dataset.splits
    if not task.model.facts.has_density:
        return "the model has no prior to draw samples from"
    if "train" not in splits or not splits["train"].has_labels:
        return "there are no labelled training examples for a classifier"
    if schema.kind != "image" or schema.low is None or schema.high is None:
        return "the classifier takes images whose values have a range"
    if schema.missing != "forbid" or (schema.num_classes or 1) < 2:
        return "the classifier takes two classes or more, and no gaps"
    if min(task.examples, len(splits["train"])) < FEWEST_COMPARED:
        return f"fewer than {FEWEST_COMPARED} examples say nothing about a distribution"
    return None


@torch.no_grad()
def sample_quality(task: Task) -> dict[str, Any]:
    """Frechet distance, precision and recall, and class coverage, with their floor."""
    n, classifier = task.spec.sample_quality, _classifier(task)
    told = "sample quality"
    task.progress(told, 0.0)
    source = generator_for(task.spec.seed, "sample quality", device=task.device)
    means = sample_means(task.model, task.transform, n, source, task.conditions(n))
    drawn = _seen(classifier, means)
    data = _seen(classifier, (rows.x for rows in task.raw()), task)
    task.progress(told, 0.5)
    distance = _name_of_distance(task)
    precision, recall = precision_recall(data.features, drawn.features)
    classes = task.dataset.schema.num_classes or 1
    numbers = {
        distance: frechet_distance(data.features, drawn.features),
        "sample_precision": precision,
        "sample_recall": recall,
        "class_coverage": class_coverage(drawn.classes, classes),
        "class_coverage_data": class_coverage(data.classes, classes),
        "class_shares": class_shares(drawn.classes, classes).tolist(),
        "sample_quality_samples": n,
        "classifier_accuracy": _accuracy(data, task),
        "feature_network": f"classifier of {task.dataset.name}, version {VERSION}",
    }
    if task.spec.split != "train":
        numbers |= _floor(task, classifier, data, distance)
    task.progress(told, 1.0)
    return numbers


def _classifier(task: Task) -> Classifier:
    return kept_classifier(
        task.dataset,
        task.device,
        lambda share: task.progress("training of the classifier behind sample quality", share),
    )


def _name_of_distance(task: Task) -> str:
    """What numbers in features of MNIST are called; never FID, whose features are Inception's."""
    return "mnist_fid" if task.dataset.name == "mnist" else "frechet_distance"


def _floor(task: Task, classifier: Classifier, data: Seen, distance: str) -> dict[str, float]:
    """The same of as many training examples as there were samples."""
    left, some = task.spec.sample_quality, []
    for rows in task.dataset.split("train").blocks(_BLOCK):
        some.append(rows.x[:left])
        left -= len(some[-1])
        if left <= 0:
            break
    train = _seen(classifier, some, task)
    precision, recall = precision_recall(data.features, train.features)
    return {
        f"{distance}_floor": frechet_distance(data.features, train.features),
        "sample_precision_of_train": precision,
        "sample_recall_of_train": recall,
    }


def _seen(classifier: Classifier, blocks: Iterable[Tensor], task: Task | None = None) -> Seen:
    features = []
    for block in blocks:
        for part in block.split(_BLOCK):
            features.append(classifier.features(part if task is None else part.to(task.device)))
    found = torch.cat(features)
    return Seen(found, classifier.head(found).argmax(1))


def _accuracy(data: Seen, task: Task) -> float | None:
    """Share of the split's examples whose class the classifier finds."""
    labels = task.dataset.split(task.spec.split).labels()
    if labels is None:
        return None
    right = data.classes.cpu() == labels[: len(data.classes)].cpu()
    return right.double().mean().item()
