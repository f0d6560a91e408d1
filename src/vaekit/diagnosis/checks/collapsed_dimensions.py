"""Partial collapse: most dimensions of the code are the prior whatever the example.

    active share = dimensions with a mean KL(q(z_i | x) || p(z_i)) of 0.1 nats or more / all

A model prunes dimensions that it has no use for, which is no fault: published models of 50
dimensions keep 20. It is one where the recipe holds them back, by a KL term or a noise scale that
is too large.

References:
    Burda, Grosse and Salakhutdinov (2015), Importance Weighted Autoencoders, appendix C,
    https://arxiv.org/abs/1509.00519
    Lucas, Tucker, Grosse and Norouzi (2019), Don't Blame the ELBO!,
    https://arxiv.org/abs/1911.02469
"""

from typing import Final, final

from vaekit.diagnosis.blame import heavy_kl, wide_likelihood
from vaekit.diagnosis.checks.posterior_collapse import COLLAPSED, evidence_of_codes
from vaekit.diagnosis.finding import (
    Answer,
    Check,
    Finding,
    Healthy,
    NotApplicable,
    Statistic,
)
from vaekit.diagnosis.pictures import kl_of_dimensions
from vaekit.diagnosis.subject import Subject

LEAST: Final = 0.25
"""Well below the two fifths that published models of MNIST keep of 50 dimensions."""

IN_USE: Final = 0.1
"""Nats: less than a fifteenth of what a dimension carries that a good model uses."""


@final
class CollapsedDimensions(Check):
    """Most of a code is unused."""

    name = "collapsed_dimensions"
    title = "Most dimensions of the code carry nothing"
    severity = "serious"
    symptom = "Samples and reconstructions are of few kinds; most traversals change nothing."
    needs = "one stochastic layer whose KL splits over dimensions; the recipe"
    explains = ("missing_modes", "blur", "codes_leave_prior")
    reference = "Burda, Grosse and Salakhutdinov (2015), https://arxiv.org/abs/1509.00519"

    def examine(self, subject: Subject) -> Answer:
        facts = subject.facts
        if not facts.has_density or facts.latent == "discrete" or facts.latent_class:
            return NotApplicable("the model has no continuous posterior")
        if len(subject.scores.kl) != 1:
            return NotApplicable("several layers are looked at one by one instead")
        kl = subject.scores.kl[0].mean(0)
        if kl.numel() != subject.scores.codes.shape[1]:
            return NotApplicable("the KL of this posterior does not split over dimensions")
        active = int((kl >= IN_USE).sum())
        share = active / kl.numel()
        statistic = Statistic("share of dimensions in use", share, LEAST, "below")
        if not statistic.is_bad:
            return Healthy(statistic)
        blame = heavy_kl(subject.recipe) or wide_likelihood(subject.recipe)
        if blame is None:
            return NotApplicable(
                f"{active} of {kl.numel()} dimensions are in use, and the recipe holds none back"
            )
        return Finding(
            symptom=f"{kl.numel() - active} of {kl.numel()} dimensions have a mean KL below "
            f"{IN_USE:g} nats.",
            statistic=statistic,
            cause=blame.cause,
            remedy=blame.remedy,
            evidence=evidence_of_codes(subject),
            per_dimension={"kl_nats": kl.tolist()},
            picture=kl_of_dimensions(subject, COLLAPSED),
        )
