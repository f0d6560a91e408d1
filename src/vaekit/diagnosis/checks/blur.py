"""Reconstructions that are blurred.

    relative sharpness = sharpness of reconstructions / sharpness of the same examples

Sharpness is the variance of an image behind a Laplace filter. The mean of p(x | z) averages over
what the code does not say, so that every VAE is softer than its data; how much softer counts.

References:
    Tolstikhin, Bousquet, Gelly and Schoelkopf (2018), Wasserstein Auto-Encoders,
    https://arxiv.org/abs/1711.01558 (sharpness)
    Rybkin, Daniilidis and Levine (2021), Simple and Effective VAE Training with Calibrated
    Decoders, https://arxiv.org/abs/2006.13202
"""

from typing import Final, final

from vaekit.diagnosis.blame import few_dimensions, heavy_kl, more_room, wide_likelihood
from vaekit.diagnosis.finding import (
    Answer,
    Check,
    Finding,
    Healthy,
    NotApplicable,
    Statistic,
)
from vaekit.diagnosis.pictures import originals_and_reconstructions
from vaekit.diagnosis.subject import Subject
from vaekit.evaluation import can_be_sharp, sharpness

LEAST: Final = 0.35
"""Small healthy models reach more than two fifths, trained ones more than a half."""


@final
class Blur(Check):
    """Soft pictures."""

    name = "blur"
    title = "Reconstructions are blurred"
    severity = "minor"
    symptom = "Edges are soft; details of the data are missing from reconstructions and samples."
    needs = "images of at least 3 x 3 pixels"
    explains = ()
    reference = "Rybkin, Daniilidis and Levine (2021), https://arxiv.org/abs/2006.13202"

    def examine(self, subject: Subject) -> Answer:
        if not subject.is_image:
            return NotApplicable("the data are no images")
        original = subject.scale(subject.rows(subject.split).x)
        if not can_be_sharp(original):
            return NotApplicable("the images are too small for a filter")
        if not bool(original.isfinite().all()):
            return NotApplicable("sharpness is not defined where values are missing")
        usual = float(sharpness(original).mean())
        if usual == 0.0:
            return NotApplicable("the data itself has no edges")
        answer = float(sharpness(subject.scale(subject.reconstructions)).mean())
        statistic = Statistic("sharpness relative to the data", answer / usual, LEAST, "below")
        if not statistic.is_bad:
            return Healthy(statistic)
        recipe = subject.recipe
        blame = (
            wide_likelihood(recipe)
            or heavy_kl(recipe)
            or few_dimensions(recipe)
            or more_room(recipe)
        )
        numbers = {"sharpness_data": usual, "sharpness_reconstructions": answer}
        if subject.has_prior:
            numbers["sharpness_samples"] = float(sharpness(subject.scale(subject.samples)).mean())
        return Finding(
            symptom=f"Reconstructions have {answer / usual:.0%} of the sharpness of the data.",
            statistic=statistic,
            cause=blame.cause,
            remedy=blame.remedy,
            evidence=numbers,
            picture=originals_and_reconstructions(subject),
        )
