"""Samples that are training examples.

See `copying` for the statistic: how often a sample is nearer to a training example than to any of
as many examples that the model has not seen.

References:
    van den Burg and Williams (2021), On Memorization in Probabilistic Deep Generative Models,
    https://arxiv.org/abs/2106.03216
    Meehan, Chaudhuri and Dasgupta (2020), https://arxiv.org/abs/2004.05675
"""

from typing import Final, final

from vaekit.diagnosis.blame import Blame, rarely_stopped, smaller_networks
from vaekit.diagnosis.copying import copying
from vaekit.diagnosis.finding import (
    Answer,
    Check,
    Finding,
    Healthy,
    NotApplicable,
    Remedy,
    Statistic,
)
from vaekit.diagnosis.pictures import neighbours
from vaekit.diagnosis.subject import NEIGHBOURS, Subject
from vaekit.priors import VampSpec

MOST: Final = 0.8
"""Training examples are then nearest four times as often; healthy small models reach 0.65."""
CERTAIN: Final = 0.01
FEWEST: Final = 50


@final
class Memorisation(Check):
    """Samples copy training examples."""

    name = "memorisation"
    title = "Samples lie on training examples"
    severity = "serious"
    symptom = "For nearly every sample there is a training example that looks the same."
    needs = "samples, and held-out examples to compare with"
    explains = ("overfitting",)
    reference = "van den Burg and Williams (2021), https://arxiv.org/abs/2106.03216"

    def examine(self, subject: Subject) -> Answer:
        if not subject.has_prior:
            return NotApplicable("the model has no prior to draw samples from")
        if subject.held_out_split is None or len(subject.shown) < FEWEST:
            return NotApplicable(f"fewer than {FEWEST} held-out examples to compare with")
        if subject.dataset.schema.missing != "forbid":
            return NotApplicable("distances are not defined where values are missing")
        samples = subject.scale(subject.samples).flatten(1)
        train = subject.values("train", NEIGHBOURS)
        found = copying(samples, train, subject.values(subject.split, NEIGHBOURS))
        share = found.even_share if found.p_value < CERTAIN else 0.5
        statistic = Statistic("samples nearest to a training example", share, MOST, "above")
        if not statistic.is_bad:
            return Healthy(statistic)
        blame = self._blame(subject)
        near, other = found.distances.median(0).values.tolist()
        return Finding(
            symptom=f"The nearest neighbour of a sample is a training example, not a held-out one, "
            f"in {found.share:.1%} of cases; by chance it would be in {found.expected:.1%}. Were "
            f"there as many held-out as training examples, it would be in {found.even_share:.0%}.",
            statistic=statistic,
            cause=blame.cause,
            remedy=blame.remedy,
            evidence={
                "p_value": found.p_value,
                "share": found.share,
                "share_by_chance": found.expected,
                "median_distance_to_train": near,
                "median_distance_to_held_out": other,
            },
            picture=neighbours(subject, found.nearest),
        )

    def _blame(self, subject: Subject) -> Blame:
        recipe = subject.recipe
        prior = getattr(recipe.model, "prior", None)
        if isinstance(prior, VampSpec) and prior.components * 4 >= len(
            subject.dataset.split("train")
        ):
            return Blame(
                f"The prior is a mixture around {prior.components} pseudo-inputs, which began as "
                "that many training examples: samples are their reconstructions.",
                Remedy(
                    ('model.prior.kind="standard_normal"',),
                    "Use a prior that knows no single example.",
                ),
            )
        has_validation = "validation" in subject.dataset.splits
        return rarely_stopped(recipe, has_validation) or smaller_networks(recipe)
