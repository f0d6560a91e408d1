"""Codes of the data that are not where the prior draws from.

Samples are decoded from draws of p(z), and the decoder has learned from draws of the aggregate
posterior q(z) = E_x q(z | x). Where a classifier tells the two apart, most samples come from
places that the decoder has never seen. See `two_sample` for the test; no model passes it in the
limit of many codes, so that the size of the difference decides and the p-value only guards it.

References:
    Hoffman and Johnson (2016), ELBO surgery
    Rosca, Lakshminarayanan and Mohamed (2018), Distribution Matching in Variational Inference,
    https://arxiv.org/abs/1802.06847
"""

from typing import Final, final

from vaekit.diagnosis.blame import Blame, light_kl
from vaekit.diagnosis.finding import (
    Answer,
    Check,
    Finding,
    Healthy,
    NotApplicable,
    Remedy,
    Statistic,
)
from vaekit.diagnosis.pictures import codes_and_prior
from vaekit.diagnosis.subject import Subject
from vaekit.diagnosis.two_sample import two_sample_test
from vaekit.recipes import Recipe

MOST: Final = 0.9
"""Nine pairs of ten; models trained on the bound itself stay below 0.8."""
CERTAIN: Final = 0.01
FEWEST: Final = 50
"""Codes below which the test says little."""


@final
class CodesLeavePrior(Check):
    """The aggregate posterior is not the prior."""

    name = "codes_leave_prior"
    title = "Codes of the data are not where samples are drawn from"
    severity = "serious"
    symptom = "Reconstructions are good, and samples look like nothing in the data."
    needs = "a continuous code with a prior that can be drawn from"
    explains = ("missing_modes", "blur")
    reference = (
        "Rosca, Lakshminarayanan and Mohamed (2018), https://arxiv.org/abs/1802.06847; "
        "Lopez-Paz and Oquab (2017), https://arxiv.org/abs/1610.06545"
    )

    def examine(self, subject: Subject) -> Answer:
        codes, prior = subject.scores.codes, subject.scores.prior_codes
        if prior.shape[1] == 0:
            return NotApplicable("the model has no continuous code with a prior")
        if len(codes) < FEWEST:
            return NotApplicable(f"fewer than {FEWEST} held-out examples")
        found = two_sample_test(codes.numpy(), prior.numpy(), subject.seed)
        area = found.area if found.p_value < CERTAIN else 0.5
        statistic = Statistic("codes told from draws of the prior", area, MOST, "above")
        if not statistic.is_bad:
            return Healthy(statistic)
        blame = self._blame(subject.recipe)
        return Finding(
            symptom=f"A classifier tells a code of the data from a draw of the prior in "
            f"{found.area:.0%} of pairs (p = {found.p_value:.1g}).",
            statistic=statistic,
            cause=blame.cause,
            remedy=blame.remedy,
            evidence={
                "p_value": found.p_value,
                "codes_stddev": float(codes.std()),
                "prior_stddev": float(prior.std()),
            },
            per_dimension={
                "codes_mean": codes.mean(0).tolist(),
                "codes_stddev": codes.std(0).tolist(),
            },
            picture=codes_and_prior(subject),
        )

    def _blame(self, recipe: Recipe) -> Blame:
        found = light_kl(recipe)
        if found is not None:
            return found
        kind = getattr(getattr(recipe.model, "prior", None), "kind", "standard_normal")
        better = "mixture" if kind == "real_nvp" else "real_nvp"
        return Blame(
            f"A prior of kind {kind} cannot take the shape that the codes of all examples have "
            "together.",
            Remedy((f'model.prior.kind="{better}"',), "Let the prior learn where codes are."),
        )
