"""Posterior scales that stand at the end of the range that keeps them finite.

Log-scales are bounded smoothly, by limit tanh(raw / limit). Beyond nine tenths of a limit less
than a fifth of the gradient comes through, and the number says where the limit is rather than how
sure the model is of a code.

    saturated = share of log-scales of q(z | x), over examples and dimensions, beyond nine tenths
                of a limit

Reference:
    Kingma and Welling (2013), Auto-Encoding Variational Bayes, appendix C,
    https://arxiv.org/abs/1312.6114 (the encoder's log-variances)
"""

from typing import Final, final

import torch

from vaekit.diagnosis.blame import Blame, light_kl, wide_likelihood
from vaekit.diagnosis.finding import (
    Answer,
    Check,
    Finding,
    Healthy,
    NotApplicable,
    Remedy,
    Statistic,
)
from vaekit.diagnosis.pictures import log_scales
from vaekit.diagnosis.subject import Subject
from vaekit.posteriors import DiagonalGaussianSpec

MOST: Final = 0.02
"""A few odd examples may come near a limit."""
NEAR: Final = 0.9


@final
class SaturatedScales(Check):
    """Log-scales at their bounds."""

    name = "saturated_scales"
    title = "Posterior scales stand at the end of their range"
    severity = "serious"
    symptom = "Codes are as narrow, or as wide, as allowed; the KL no longer follows the data."
    needs = "diagonal Gaussian posteriors"
    explains = ("overfitting", "codes_leave_prior")
    reference = "Kingma and Welling (2013), https://arxiv.org/abs/1312.6114"

    def examine(self, subject: Subject) -> Answer:
        spec = getattr(subject.recipe.model, "posterior", None)
        moments = subject.moments if subject.facts.latent == "continuous" else []
        if not isinstance(spec, DiagonalGaussianSpec) or not moments:
            return NotApplicable("the posterior has no scales with an end")
        scales = torch.cat([layer.stddev for layer in moments], dim=1).log()
        at_end = (scales < NEAR * spec.min_log_scale) | (scales > NEAR * spec.max_log_scale)
        share = float(at_end.double().mean())
        statistic = Statistic("share of posterior scales at an end", share, MOST, "above")
        if not statistic.is_bad:
            return Healthy(statistic)
        blame = _blame(subject, spec)
        return Finding(
            symptom=f"{share:.0%} of the log-scales of q(z | x) stand at an end of their range, "
            f"from {spec.min_log_scale:g} to {spec.max_log_scale:g}.",
            statistic=statistic,
            cause=blame.cause,
            remedy=blame.remedy,
            evidence={"smallest": float(scales.min()), "largest": float(scales.max())},
            per_dimension={"saturated_share": at_end.double().mean(0).tolist()},
            picture=log_scales(scales.flatten(), "posterior"),
        )


def _blame(subject: Subject, spec: DiagonalGaussianSpec) -> Blame:
    usual = DiagonalGaussianSpec()
    if spec != usual:
        return Blame(
            f"Log-scales of the posterior are held between {spec.min_log_scale:g} and "
            f"{spec.max_log_scale:g}, which is narrower than this model needs.",
            Remedy(
                (
                    f"model.posterior.min_log_scale={usual.min_log_scale:g}",
                    f"model.posterior.max_log_scale={usual.max_log_scale:g}",
                ),
                "Give scales the usual room.",
            ),
        )
    found = light_kl(subject.recipe) or wide_likelihood(subject.recipe)
    return found or Blame(
        "Codes are told apart more finely than any decoder can use.",
        Remedy(("objective.beta=1",), "Give the KL term the weight that it has in the bound."),
    )
