"""Posterior collapse: the decoder does without z.

Decode every example with the code of another one, and see what that costs:

    fall = E_q[log p(x | z)] - E_q[log p(x | z of another example)]

in nats per example. It is at least zero on average, zero exactly where the decoder ignores z, and
bounds from above what codes tell of examples where p(x | z) is right; and it is there for every
model that decodes, whatever its posterior is.

References:
    Bowman et al. (2016), Generating Sentences from a Continuous Space,
    https://arxiv.org/abs/1511.06349
    Lucas, Tucker, Grosse and Norouzi (2019), Don't Blame the ELBO!,
    https://arxiv.org/abs/1911.02469 (a noise scale that is too large)
    Hoffman and Johnson (2016), ELBO surgery (mutual information)
"""

import math
from typing import Final, final

from vaekit.diagnosis.blame import (
    Blame,
    heavy_kl,
    high_rate,
    no_free_bits,
    no_warm_up,
    smaller_networks,
    wide_likelihood,
)
from vaekit.diagnosis.finding import Answer, Check, Finding, Healthy, Statistic
from vaekit.diagnosis.pictures import kl_of_dimensions
from vaekit.diagnosis.subject import Subject
from vaekit.evaluation import active_units, mutual_information
from vaekit.evaluation.aggregate_posterior import ACTIVE
from vaekit.recipes import Recipe

LEAST: Final = 1.0
"""One nat: a code that saves less cannot even tell three kinds of examples apart."""
COLLAPSED: Final = 0.01
"""Nats below which a dimension carries nothing, as in the pictures of a run."""
FREE_BITS: Final = 0.1


@final
class PosteriorCollapse(Check):
    """The whole code is unused."""

    name = "posterior_collapse"
    title = "The decoder ignores the code (posterior collapse)"
    severity = "critical"
    symptom = "All reconstructions and all samples look alike; the KL is near zero."
    needs = "any model that decodes"
    explains = (
        "collapsed_dimensions",
        "collapsed_layer",
        "codes_leave_prior",
        "memorisation",
        "missing_modes",
        "blur",
        "saturated_scales",
    )
    reference = (
        "Bowman et al. (2016), https://arxiv.org/abs/1511.06349; Lucas et al. (2019), "
        "https://arxiv.org/abs/1911.02469"
    )

    def examine(self, subject: Subject) -> Answer:
        scores = subject.scores
        fall = float((scores.log_likelihood - scores.swapped).mean())
        statistic = Statistic("nats lost with another example's code", fall, LEAST, "below")
        if not statistic.is_bad:
            return Healthy(statistic)
        kl = [layer.mean(0) for layer in scores.kl]
        per_dimension = {f"kl_nats_layer_{n}": layer.tolist() for n, layer in enumerate(kl)}
        blame = blame_for_collapse(subject.recipe)
        return Finding(
            symptom=f"With the code of another example, log p(x | z) falls by {fall:.3g} nats: "
            "the decoder says the same whatever the code.",
            statistic=statistic,
            cause=blame.cause,
            remedy=blame.remedy,
            evidence=evidence_of_codes(subject),
            per_dimension=per_dimension,
            picture=kl_of_dimensions(subject, COLLAPSED),
        )


def evidence_of_codes(subject: Subject) -> dict[str, float]:
    """KL, active units and mutual information, where they are defined."""
    numbers: dict[str, float] = {}
    if subject.scores.kl:
        numbers["kl_nats"] = float(sum(layer.sum(1).mean() for layer in subject.scores.kl))
    if subject.facts.latent == "continuous" and subject.moments:
        numbers["active_units"] = float(active_units(subject.moments, ACTIVE))
        if len(subject.moments) == 1 and subject.moments[0].is_diagonal_gaussian:
            found = mutual_information(subject.moments[0], subject.seed)
            numbers["mutual_information_nats"] = found
            numbers["mutual_information_cap_nats"] = math.log(len(subject.moments[0].mean))
    return numbers


def blame_for_collapse(recipe: Recipe) -> Blame:
    """The first of the known causes that the recipe has."""
    return (
        heavy_kl(recipe)
        or wide_likelihood(recipe)
        or high_rate(recipe)
        or no_warm_up(recipe)
        or no_free_bits(recipe, FREE_BITS, "dimension")
        or smaller_networks(recipe)
    )
