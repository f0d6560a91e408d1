"""What a search asks: which settings of which recipe, and what decides; and what it may not ask."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from vaekit.errors import SpecError
from vaekit.recipes import Recipe, load_recipe
from vaekit.runs.over import Axis, Choice, Settings, axes_over

OBJECTIVES: Final = {
    "elbo_nats": True,
    "nll_nats": False,
    "expected_log_likelihood_nats": True,
    "mse": False,
    "mnist_fid": False,
    "frechet_distance": False,
    "mig": True,
}
"""What can be searched for, and whether more of it is better."""
FIXED: Final = ("data", "transform", "evaluation")
"""Tables that decide what is measured; trials could not be compared."""


@final
@dataclass(frozen=True)
class Question:
    """What is searched for.

    Args:
        recipe: Name of a recipe that comes with vaekit, or a TOML file.
        over: What to go over, as for `axes_over`.
        objective: Key of the result that decides.
        settings: Changes that all trials share.
        seed: Of what is proposed; training keeps the recipe's.
        prune: Whether trials below the median are given up.
    """

    recipe: str | Path
    over: Sequence[str]
    objective: str = "elbo_nats"
    settings: Sequence[str] = ()
    seed: int = 0
    prune: bool = True

    @property
    def axes(self) -> dict[str, Axis]:
        """What is gone over, by the path of the setting."""
        return axes_over(self.over, "A search")

    @property
    def maximize(self) -> bool:
        """Whether a larger objective is better."""
        return OBJECTIVES[self.objective]

    def base(self) -> Recipe:
        """The recipe, without the settings that are searched for."""
        return load_recipe(self.recipe, self.settings)

    def asked(self, settings: Settings, *more: str) -> Recipe:
        """The recipe with those settings."""
        return load_recipe(self.recipe, [*self.settings, *map("=".join, settings.items()), *more])

    def trial(self, settings: Settings) -> Recipe:
        """The recipe of a trial."""
        return self.asked(settings, "evaluation.split=validation")


def check_question(question: Question) -> None:
    """Refuses what would be noticed after hours, or never.

    Raises:
        SpecError: Settings that cannot be searched, an objective that there is not, a split that
            is not for choosing.
    """
    axes = question.axes
    _check_objective(question)
    for path in axes:
        if path.split(".")[0] in FIXED:
            raise SpecError(
                "A search cannot go over what decides the measure: trials could not be compared.",
                where=f"--over {path}",
                expected="a setting of model, objective or training",
                remedy="make a search for each value, or sweep over it",
            )
    _check_split(question)
    for path, axis in axes.items():
        for value in axis.values if isinstance(axis, Choice) else axis.ends:
            question.trial({path: value})  # each alone has to be possible


def _check_objective(question: Question) -> None:
    if question.objective not in OBJECTIVES:
        raise SpecError(
            "This cannot be searched for.",
            where="--objective",
            expected=f"one of {', '.join(OBJECTIVES)}",
            found=question.objective,
        )
    model = question.base().model
    if question.objective in ("elbo_nats", "nll_nats") and not model.facts.has_density:
        raise SpecError(
            f"A model of kind {model.kind!r} has no likelihood to search for.",
            where="--objective",
            expected="mse, or expected_log_likelihood_nats",
            found=question.objective,
        )


def _check_split(question: Question) -> None:
    asked = [text for text in question.settings if text.split("=")[0].strip() == "evaluation.split"]
    if asked:
        raise SpecError(
            "A search is judged on the validation split, never on another.",
            where=f"--set {asked[-1]}",
            remedy="leave it out; best.toml measures the split that the recipe says",
        )
    recipe = question.base()
    if "validation" in recipe.data.load().splits:
        return
    fields = type(recipe.data).model_fields
    how = "--set data.split=50000/10000/10000" if "split" in fields else "--set data.validation=0.1"
    raise SpecError(
        "A search is judged on the validation split, and there is none.",
        where=f"recipe {recipe.name}, data",
        found=", ".join(recipe.data.load().splits),
        remedy=f"keep examples for it, as with {how}; the test split is not for choosing",
    )
