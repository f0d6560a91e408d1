"""A noise scale at its floor: a density that grows without end.

Values that never vary, or that the decoder knows exactly, have a likelihood that is the larger the
narrower it is. Only the floor of the scale stops it, and the numbers say where that floor is.
Training jumps whenever one of those values is missed by a little.

    at the floor = share of scales of p(x | z), over examples and values, within a factor of two
                   of the smallest that is allowed

Reference:
    Mattei and Frellsen (2018), Leveraging the Exact Likelihood of Deep Latent Variable Models,
    https://arxiv.org/abs/1802.04826 (unbounded likelihoods)
"""

import math
from typing import Final, final

import torch

from vaekit.diagnosis.blame import Blame
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

MOST: Final = 0.02
"""One value of fifty; each of them adds nats without end."""
ABOVE_FLOOR: Final = math.log(2)
"""The smooth sum of floor and scale is then mostly floor."""


@final
class NoiseFloor(Check):
    """A likelihood without an upper end."""

    name = "noise_floor"
    title = "The noise scale stands at its floor"
    severity = "critical"
    symptom = "The likelihood grows without the pictures getting better; the loss jumps."
    needs = "a Gaussian likelihood whose scale is not fixed"
    explains = (
        "diverged",
        "overfitting",
        "memorisation",
        "codes_leave_prior",
        "missing_modes",
        "blur",
    )
    reference = "Mattei and Frellsen (2018), https://arxiv.org/abs/1802.04826"

    @torch.no_grad()
    def examine(self, subject: Subject) -> Answer:
        spec = subject.recipe.model.likelihood
        if not isinstance(spec, GaussianSpec) or not isinstance(spec.scale, str):
            return NotApplicable(f"a {spec.kind} likelihood has no scale that is fitted")
        values = subject.model.infer_at_mean(subject.shown).likelihood.base_dist
        if not isinstance(values, Gaussian):
            return NotApplicable("the likelihood takes the best scale of every batch")
        scales = values.log_scale[0].flatten(1)
        at_floor = (scales < math.log(spec.min_scale) + ABOVE_FLOOR).double()
        share = float(at_floor.mean())
        statistic = Statistic("share of noise scales at the floor", share, MOST, "above")
        if not statistic.is_bad:
            return Healthy(statistic)
        blame = self._blame(spec)
        return Finding(
            symptom=f"{share:.0%} of the noise scales are within a factor of two of "
            f"{spec.min_scale:g}, the smallest that is allowed.",
            statistic=statistic,
            cause=blame.cause,
            remedy=blame.remedy,
            evidence={"smallest_scale": float(scales.min().exp()), "floor": spec.min_scale},
            per_dimension={"share_of_value_at_floor": at_floor.mean(0).tolist()},
            picture=log_scales(scales.flatten(), "likelihood"),
        )

    def _blame(self, spec: GaussianSpec) -> Blame:
        if spec.scale == "per_value":
            return Blame(
                "Some values hardly vary, and a scale of their own lets their density grow until "
                "the floor stops it.",
                Remedy(('model.likelihood.scale="learned"',), "Share one scale among all values."),
            )
        return Blame(
            "The data hardly varies in the units that it is shown in.",
            Remedy(('transform.kind="standardize"',), "Bring values to a deviation of one."),
        )
