"""Scales that stand at the end of the range that keeps them finite.

Log-scales are bounded smoothly, by limit tanh(raw / limit). Beyond nine tenths of a limit less
than a fifth of the gradient comes through, and the number says where the limit is rather than how
sure the model is. A noise scale at its floor is a density that grows without end on values that
never vary.

    saturated = share of log-scales beyond nine tenths of a limit, of posteriors (over examples
                and dimensions) or of the likelihood (over examples and values)

Reference:
    Mattei and Frellsen (2018), Leveraging the Exact Likelihood of Deep Latent Variable Models,
    https://arxiv.org/abs/1802.04826 (unbounded likelihoods)
"""

import math
from typing import Final, final

import torch
from torch import Tensor

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
from vaekit.distributions import Gaussian
from vaekit.likelihoods import GaussianSpec
from vaekit.posteriors import DiagonalGaussianSpec

MOST: Final = 0.02
"""A few odd examples may come near a limit."""
NEAR: Final = 0.9
ABOVE_FLOOR: Final = math.log(2)
"""A scale within a factor of two of its floor is mostly floor: the smooth sum is half of it."""


@final
class SaturatedScales(Check):
    """Log-scales at their bounds."""

    name = "saturated_scales"
    title = "Scales stand at the end of their range"
    severity = "serious"
    symptom = "The likelihood grows without getting better; posteriors are as narrow as allowed."
    needs = "a diagonal Gaussian posterior, or a Gaussian likelihood that is not fixed"
    explains = ("overfitting", "memorisation", "codes_leave_prior")
    reference = "Mattei and Frellsen (2018), https://arxiv.org/abs/1802.04826"

    def examine(self, subject: Subject) -> Answer:
        found = {**_of_posterior(subject), **_of_likelihood(subject)}
        if not found:
            return NotApplicable("neither posterior nor likelihood has a scale with an end")
        shares = {what: float(at_end.double().mean()) for what, (_, at_end) in found.items()}
        what = max(shares, key=lambda one: shares[one])
        statistic = Statistic("largest share of scales at an end", shares[what], MOST, "above")
        if not statistic.is_bad:
            return Healthy(statistic)
        blame = _blame(subject, what)
        return Finding(
            symptom=f"{shares[what]:.0%} of the log-scales of the {what} stand at an end of their "
            "range.",
            statistic=statistic,
            cause=blame.cause,
            remedy=blame.remedy,
            evidence={f"saturated_share_{name}": share for name, share in shares.items()},
            per_dimension={"saturated_share": found[what][1].double().mean(0).tolist()},
            picture=log_scales(found[what][0].flatten(), what),
        )


def _of_posterior(subject: Subject) -> dict[str, tuple[Tensor, Tensor]]:
    """Log-scales of q(z | x), and which of them are at an end."""
    spec = getattr(subject.recipe.model, "posterior", None)
    moments = subject.moments if subject.facts.latent == "continuous" else []
    if not isinstance(spec, DiagonalGaussianSpec) or not moments:
        return {}
    scales = torch.cat([layer.stddev for layer in moments], dim=1).log()
    at_end = (scales < NEAR * spec.min_log_scale) | (scales > NEAR * spec.max_log_scale)
    return {"posterior": (scales, at_end)}


@torch.no_grad()
def _of_likelihood(subject: Subject) -> dict[str, tuple[Tensor, Tensor]]:
    """Log-scales of p(x | z), and which of them are at the floor."""
    spec = subject.recipe.model.likelihood
    if not isinstance(spec, GaussianSpec) or not isinstance(spec.scale, str):
        return {}
    values = subject.model.infer_at_mean(subject.shown).likelihood.base_dist
    if not isinstance(values, Gaussian):
        return {}
    scales = values.log_scale[0].flatten(1)
    return {"likelihood": (scales, scales < math.log(spec.min_scale) + ABOVE_FLOOR)}


def _blame(subject: Subject, what: str) -> Blame:
    recipe = subject.recipe
    if what == "likelihood":
        if getattr(recipe.model.likelihood, "scale", None) == "per_value":
            return Blame(
                "Some values hardly vary, and a scale of their own lets their density grow until "
                "the floor stops it.",
                Remedy(('model.likelihood.scale="learned"',), "Share one scale among all values."),
            )
        return Blame(
            "The data hardly varies in the units that it is shown in.",
            Remedy(('transform.kind="standardize"',), "Bring values to a deviation of one."),
        )
    spec = getattr(recipe.model, "posterior", None)
    usual = DiagonalGaussianSpec()
    if isinstance(spec, DiagonalGaussianSpec) and spec != usual:
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
    found = light_kl(recipe) or wide_likelihood(recipe)
    return found or Blame(
        "Codes are told apart more finely than any decoder can use.",
        Remedy(("objective.beta=1",), "Give the KL term the weight that it has in the bound."),
    )
