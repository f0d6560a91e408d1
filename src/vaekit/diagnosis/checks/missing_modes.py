"""Samples that leave out part of the data.

    relative recall = recall of samples / recall of as many training examples

Recall is the share of held-out examples that lie among samples, in features of a classifier of
the data. Class coverage, the effective number of classes that samples spread over, is evidence.

References:
    Kynkaanniemi et al. (2019), Improved Precision and Recall Metric for Assessing Generative
    Models, https://arxiv.org/abs/1904.06991
    Sajjadi et al. (2018), Assessing Generative Models via Precision and Recall,
    https://arxiv.org/abs/1806.00035
"""

from typing import Final, final

from vaekit.diagnosis.blame import (
    Blame,
    few_dimensions,
    heavy_kl,
    light_kl,
    longer,
    wide_likelihood,
)
from vaekit.diagnosis.finding import (
    Answer,
    Check,
    Finding,
    Healthy,
    NotApplicable,
    Remedy,
    Statistic,
)
from vaekit.diagnosis.pictures import shares_of_classes
from vaekit.diagnosis.subject import Subject
from vaekit.objectives import VAEGANSpec

LEAST: Final = 0.1
"""A tenth; small healthy models reach more than three tenths."""


@final
class MissingModes(Check):
    """Low diversity of samples."""

    name = "missing_modes"
    title = "Samples leave out part of the data"
    severity = "serious"
    symptom = "Samples repeat a few kinds of examples; some classes never appear."
    needs = "labelled training images, and a prior to sample from"
    explains = ("blur",)
    reference = "Kynkaanniemi et al. (2019), https://arxiv.org/abs/1904.06991"

    def examine(self, subject: Subject) -> Answer:
        reason = subject.why_no_sample_quality
        if reason is not None:
            return NotApplicable(reason)
        found = subject.sample_quality
        usual = found.get("sample_recall_of_train")
        if not usual:
            return NotApplicable("there are no held-out examples to recall")
        share = found["sample_recall"] / usual
        statistic = Statistic("recall relative to training examples", share, LEAST, "below")
        if not statistic.is_bad:
            return Healthy(statistic)
        blame = self._blame(subject)
        covered = found["class_coverage"] / found["class_coverage_data"]
        return Finding(
            symptom=f"Samples are near {found['sample_recall']:.0%} of held-out examples; as many "
            f"training examples are near {usual:.0%}. They cover {covered:.0%} of the classes.",
            statistic=statistic,
            cause=blame.cause,
            remedy=blame.remedy,
            evidence={
                "sample_recall": found["sample_recall"],
                "sample_recall_of_train": usual,
                "sample_precision": found["sample_precision"],
                "class_coverage": found["class_coverage"],
                "class_coverage_data": found["class_coverage_data"],
            },
            per_dimension={"share_of_class": list(found["class_shares"])},
            picture=shares_of_classes(subject, found["class_shares"]),
        )

    def _blame(self, subject: Subject) -> Blame:
        recipe = subject.recipe
        if isinstance(recipe.objective, VAEGANSpec):
            weight = recipe.objective.adversarial_weight / 10
            return Blame(
                "The opponent rewards samples that look right, and none for being different.",
                Remedy(
                    (f"objective.adversarial_weight={weight:g}",), "Make the opponent count less."
                ),
            )
        return (
            few_dimensions(recipe)
            or heavy_kl(recipe)
            or wide_likelihood(recipe)
            or light_kl(recipe)
            or longer(recipe)
        )
