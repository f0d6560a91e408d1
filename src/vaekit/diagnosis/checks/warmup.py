"""A schedule that has not ended when training does.

What is trained is then not what the recipe names: with a KL term that is still being brought in,
a beta-VAE of some small beta. Everything that changes with the epoch is looked at: the weight of
the KL term, a capacity, the temperature of relaxed codes.

    reached = (value at the end of training - value at the start) / (final - start)

and for cycles, how many of them training has seen, as a share.

Reference:
    Sonderby et al. (2016), Ladder Variational Autoencoders, https://arxiv.org/abs/1602.02282
    (warm-up)
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
from vaekit.diagnosis.pictures import schedules
from vaekit.diagnosis.subject import Subject
from vaekit.objectives import BetaSpec
from vaekit.recipes import Recipe

LEAST: Final = 0.95
"""A last step that is not quite the end does no harm."""
_LENGTH: Final = {"linear": "warmup_epochs", "cyclical": "cycle_epochs"}


@final
class Warmup(Check):
    """Warm-up longer than training."""

    name = "warmup"
    title = "Warm-up is longer than training"
    severity = "critical"
    symptom = "The KL is large, samples are poor, and the loss still rises at the end."
    needs = "a schedule in the recipe; the log says when training ended"
    explains = ("codes_leave_prior", "missing_modes", "blur", "memorisation", "overfitting")
    reference = "Sonderby et al. (2016), https://arxiv.org/abs/1602.02282"

    def examine(self, subject: Subject) -> Answer:
        recipe = subject.recipe
        found = scheduled(recipe)
        if not found:
            return NotApplicable("the recipe has no schedule of this kind")
        if subject.is_finished is False:
            return NotApplicable("training has not come to its end")
        epochs = _epochs_trained(subject)
        shares = {path: reached(schedule, epochs) for path, schedule in found.items()}
        path = min(shares, key=lambda one: shares[one])
        statistic = Statistic(f"share of the way that {path} went", shares[path], LEAST, "below")
        if not statistic.is_bad:
            return Healthy(statistic)
        schedule = found[path]
        blame = self._blame(recipe, path, schedule)
        return Finding(
            symptom=f"After {epochs:g} epochs {path} stood at {schedule.at(epochs):.3g}; it was to "
            f"end at {schedule.final:g}.",
            statistic=statistic,
            cause=blame.cause,
            remedy=blame.remedy,
            evidence={"epochs": epochs, "reached": schedule.at(epochs), "final": schedule.final},
            picture=schedules(path, schedule, epochs),
        )

    def _blame(self, recipe: Recipe, path: str, schedule: BetaSpec) -> Blame:
        key, epochs = _LENGTH[schedule.kind], recipe.training.epochs
        parts = 2 * getattr(schedule, "cycles", 1)
        length = max(1, epochs // max(4, parts))
        return Blame(
            f"{path}.{key} is {getattr(schedule, key):g}, and training has {epochs} epochs.",
            Remedy(
                (f"{path}.{key}={length}",), "End the warm-up early enough to train at full weight."
            ),
        )


def scheduled(recipe: Recipe) -> dict[str, BetaSpec]:
    """Everything of the objective that changes with the epoch, by its path."""
    fields = {name: getattr(recipe.objective, name) for name in type(recipe.objective).model_fields}
    return {
        f"objective.{name}": value
        for name, value in fields.items()
        if getattr(value, "kind", None) in _LENGTH and hasattr(value, "final")
    }


def reached(schedule: BetaSpec, epochs: float) -> float:
    """Which share of the way a schedule went in so many epochs.

    Example:
        >>> from vaekit.objectives import LinearBeta
        >>> reached(LinearBeta(warmup_epochs=10), 4.0)
        0.4
    """
    if schedule.kind == "cyclical":  # it comes to its final value long before its end
        return min(1.0, epochs / (schedule.cycles * schedule.cycle_epochs))
    start, final = schedule.at(0.0), schedule.final
    return 1.0 if final == start else (schedule.at(epochs) - start) / (final - start)


def _epochs_trained(subject: Subject) -> float:
    if subject.log:
        return float(subject.log[-1]["epoch"])
    return float(subject.recipe.training.epochs)
