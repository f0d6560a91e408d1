"""Data that uses little of the range that the likelihood spreads its mass over.

    used = (largest - smallest value that the model is shown) / length of the likelihood's range

A likelihood of 256 levels under data of 17, or pixels between 0 and 1 that were declared to go up
to 255: the numbers train, and are wrong. Only likelihoods with two ends can be judged.

Reference:
    Loaiza-Ganem and Cunningham (2019), The continuous Bernoulli: fixing a pervasive error in
    variational autoencoders, https://arxiv.org/abs/1907.06845 (what it costs when data and
    likelihood do not fit)
"""

from typing import Final, final

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
from vaekit.diagnosis.pictures import values_shown
from vaekit.diagnosis.subject import Subject

LEAST: Final = 0.5
"""Data sets of bytes use more than nine tenths of their range; wrong factors are 15 or 255."""


@final
class DataRange(Check):
    """A range that does not fit the data."""

    name = "data_range"
    title = "The likelihood expects another range of values"
    severity = "critical"
    symptom = "Samples are flat or of one value, and bits per dimension make no sense."
    needs = "a likelihood whose values have two ends"
    explains = (
        "constant_encoder",
        "posterior_collapse",
        "collapsed_dimensions",
        "collapsed_layer",
        "blur",
        "missing_modes",
    )
    reference = "Loaiza-Ganem and Cunningham (2019), https://arxiv.org/abs/1907.06845"

    def examine(self, subject: Subject) -> Answer:
        likelihood = subject.recipe.model.likelihood
        values = likelihood.build(subject.dataset.schema.event_shape).values
        if values.low is None or values.high is None:
            return NotApplicable(f"a {likelihood.kind} likelihood takes {values}")
        x = subject.shown_in_training.x
        low, high = float(x.min()), float(x.max())
        used = (high - low) / (values.high - values.low)
        statistic = Statistic("share of the likelihood's range in use", used, LEAST, "below")
        if not statistic.is_bad:
            return Healthy(statistic)
        blame = self._blame(subject, high)
        return Finding(
            symptom=f"The values that the model is shown go from {low:g} to {high:g}; the "
            f"likelihood spreads its mass from {values.low:g} to {values.high:g}.",
            statistic=statistic,
            cause=blame.cause,
            remedy=blame.remedy,
            evidence={"smallest_value": low, "largest_value": high},
            picture=values_shown(subject, values.low, values.high),
        )

    def _blame(self, subject: Subject, high: float) -> Blame:
        likelihood = subject.recipe.model.likelihood
        levels = getattr(likelihood, "levels", None)
        if levels is not None:
            made = getattr(subject.transform, "levels", None) or int(high) + 1
            return Blame(
                f"model.likelihood.levels is {levels}, and the transform makes {made} levels.",
                Remedy(
                    (f"model.likelihood.levels={made}",), "Give every level that there is a mass."
                ),
            )
        raw = subject.rows("train").x
        low, top = float(raw.min()), float(raw.max())
        declared = subject.dataset.schema
        return Blame(
            f"The data was declared to go from {declared.low:g} to {declared.high:g}, and goes "
            f"from {low:g} to {top:g}.",
            Remedy(
                (f"data.low={low:g}", f"data.high={top:g}")
                if hasattr(subject.recipe.data, "high")
                else (),
                "Declare the range that the values have.",
            ),
        )
