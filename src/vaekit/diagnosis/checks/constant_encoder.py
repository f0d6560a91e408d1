"""An encoder that says the same of every example.

Not a posterior that fell onto the prior: there the encoder still tells examples apart, by a
little. Here its output does not change at all, as where every unit of a layer is dead.

    spread = largest standard deviation, over examples, of a number that the encoder gives

References:
    Lu, Shin, Su and Karniadakis (2019), Dying ReLU and Initialization: Theory and Numerical
    Examples, https://arxiv.org/abs/1903.06733
"""

from typing import Final, final

from vaekit.diagnosis.blame import USUAL_RATE, Blame, high_rate
from vaekit.diagnosis.finding import Answer, Check, Finding, Healthy, Remedy, Statistic
from vaekit.diagnosis.pictures import spread_of_encodings
from vaekit.diagnosis.subject import Subject
from vaekit.recipes import Recipe

LEAST: Final = 1e-5
"""Rounding in float32 is below; what a KL term of fifty times its weight leaves is 1e-3."""


NARROW: Final = 8
"""Units: a layer of fewer is all below zero at the start in more than 1 of 256 cases."""


@final
class ConstantEncoder(Check):
    """A dead encoder."""

    name = "constant_encoder"
    title = "The encoder says the same of every example"
    severity = "critical"
    symptom = "Every reconstruction is the same picture; the KL is zero."
    needs = "any model with an encoder"
    explains = (
        "saturated_scales",
        "posterior_collapse",
        "collapsed_dimensions",
        "collapsed_layer",
        "unused_codes",
        "codes_leave_prior",
        "memorisation",
        "missing_modes",
        "blur",
    )
    reference = "Lu, Shin, Su and Karniadakis (2019), https://arxiv.org/abs/1903.06733"

    def examine(self, subject: Subject) -> Answer:
        spread = subject.encodings.std(0)
        widest = float(spread.max())
        statistic = Statistic("largest spread of the encoder's output", widest, LEAST, "below")
        if not statistic.is_bad:
            return Healthy(statistic)
        blame = self._blame(subject.recipe)
        return Finding(
            symptom=f"No number that the encoder gives varies by more than {widest:.2g} over "
            f"{len(subject.encodings):,} examples.",
            statistic=statistic,
            cause=blame.cause,
            remedy=blame.remedy,
            evidence={"encoder_outputs": float(len(spread))},
            per_dimension={"spread_of_encoder_output": spread.tolist()},
            picture=spread_of_encodings(subject),
        )

    def _blame(self, recipe: Recipe) -> Blame:
        encoder = getattr(recipe.model, "encoder", None)
        is_relu = getattr(encoder, "activation", None) == "relu"
        hidden = getattr(encoder, "hidden", None)
        if is_relu and isinstance(hidden, tuple) and min(hidden, default=NARROW) < NARROW:
            return Blame(
                f"The encoder has {len(hidden)} layers of down to {min(hidden)} ReLU units: where "
                "all units of a layer are below zero, nothing passes and no gradient returns.",
                Remedy(("model.encoder.hidden=[128, 128]",), "Use few layers that are wide."),
            )
        settings: list[str] = []
        dead = " A unit of a ReLU that an update has pushed below zero gets no gradient again."
        if is_relu:
            settings.append('model.encoder.activation="silu"')
        found = high_rate(recipe)
        if found is not None:
            return Blame(
                found.cause + (dead if is_relu else ""),
                Remedy(
                    (*found.remedy.settings, *settings),
                    "Take steps of the usual size, with units that cannot die."
                    if is_relu
                    else found.remedy.why,
                ),
            )
        rate = min(recipe.training.optimizer.learning_rate / 10, USUAL_RATE)
        settings.append(f"training.optimizer.learning_rate={rate:g}")
        return Blame(
            "An update has pushed the encoder where its output no longer depends on its input."
            + (dead if is_relu else ""),
            Remedy(tuple(settings), "Take smaller steps."),
        )
