"""Discrete codes of which only a few are used.

    perplexity = exp(-sum_k s_k log s_k),    s_k = share of code k over held-out examples

The number of codes that would give the same entropy if all were used alike, as a share of those
there are. Of several variables with classes of their own, the mean counts.

References:
    van den Oord, Vinyals and Kavukcuoglu (2017), Neural Discrete Representation Learning,
    https://arxiv.org/abs/1711.00937
    Dhariwal et al. (2020), Jukebox, section 3.1 (revival), https://arxiv.org/abs/2005.00341
"""

from typing import Final, final

from vaekit.diagnosis.blame import Blame, heavy_kl
from vaekit.diagnosis.finding import (
    Answer,
    Check,
    Finding,
    Healthy,
    NotApplicable,
    Remedy,
    Statistic,
)
from vaekit.diagnosis.pictures import usage_of_codes
from vaekit.diagnosis.subject import Subject
from vaekit.evaluation import code_usage, perplexity
from vaekit.models import VQVAESpec
from vaekit.recipes import Recipe

LEAST: Final = 0.3
"""Codebooks that are kept alive reach more than half."""
SELDOM: Final = 0.05
"""Share of an even use below which a code counts as unused."""


@final
class UnusedCodes(Check):
    """A codebook that is mostly idle."""

    name = "unused_codes"
    title = "Most codes are never used"
    severity = "serious"
    symptom = "Reconstructions stay coarse, however large the codebook is."
    needs = "a model with discrete codes"
    explains = ("posterior_collapse", "missing_modes", "blur", "memorisation")
    reference = "van den Oord, Vinyals and Kavukcuoglu (2017), https://arxiv.org/abs/1711.00937"

    def examine(self, subject: Subject) -> Answer:
        if subject.facts.latent != "discrete" or subject.facts.latent_class:
            return NotApplicable("the codes of this model are not discrete")
        usage = code_usage(subject.model, [subject.shown])
        classes = usage.shape[1]
        share = float(perplexity(usage).mean()) / classes
        statistic = Statistic("perplexity, as a share of the codes", share, LEAST, "below")
        if not statistic.is_bad:
            return Healthy(statistic)
        blame = self._blame(subject.recipe)
        idle = int((usage < SELDOM / classes).sum())
        return Finding(
            symptom=f"{idle} of {usage.numel()} codes are used less than a twentieth as often as "
            f"an even share; the perplexity is {share * classes:.1f} of {classes}.",
            statistic=statistic,
            cause=blame.cause,
            remedy=blame.remedy,
            evidence={"perplexity": share * classes, "codes": float(classes)},
            per_dimension={"usage_of_code": usage.mean(0).tolist()},
            picture=usage_of_codes(usage.mean(0).numpy()),
        )

    def _blame(self, recipe: Recipe) -> Blame:
        if not isinstance(recipe.model, VQVAESpec):
            return heavy_kl(recipe) or Blame(
                "The variables agree on a few classes before the decoder can use the others.",
                Remedy(("model.relaxation.start=2",), "Begin with softer draws."),
            )
        book = recipe.model.codebook
        if book.revive_below == 0.0:
            return Blame(
                "model.codebook.revive_below is 0: codes that are near no vector at the start "
                "never are.",
                Remedy(
                    ("model.codebook.revive_below=0.05",), "Move codes that nobody uses onto data."
                ),
            )
        return Blame(
            f"{book.size} codes are more than this data has use for.",
            Remedy((f"model.codebook.size={max(2, book.size // 4)}",), "Use a smaller codebook."),
        )
