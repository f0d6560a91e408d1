"""The same recipe under every combination of some settings, a run each.

A sweep is a folder of runs: whatever is finished there is kept, so that a sweep that was stopped
goes on, and one that is widened trains only what is new.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from vaekit.errors import DivergenceError, SpecError, VaekitError
from vaekit.recipes import Recipe, load_recipe
from vaekit.runs.over import Settings, choices_over
from vaekit.runs.run import Run
from vaekit.runs.train import fit, prepare
from vaekit.training import Listener


@final
@dataclass(frozen=True)
class Point:
    """One combination, and what became of it.

    Args:
        settings: The combination.
        run: Trained and measured; None where that failed.
        failure: Why.
    """

    settings: Settings
    run: Run | None
    failure: VaekitError | None = None


def combinations(over: Sequence[str]) -> list[Settings]:
    """Every combination of values, the last setting changing fastest.

    Args:
        over: Texts such as "model.latent_dim=2,8,32".

    Raises:
        SpecError: A text names no setting or no values, or a setting comes twice.

    Example:
        >>> combinations(["a.b=1,2", "c=[3,4]"])
        [{'a.b': '1', 'c': '[3,4]'}, {'a.b': '2', 'c': '[3,4]'}]
    """
    axes = choices_over(over, "A sweep")
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]


def sweep(
    recipe: str | Path,
    over: Sequence[str],
    output: Path | None = None,
    settings: Sequence[str] = (),
    listeners: Callable[[Settings, int, int], Sequence[Listener]] = lambda *_: (),
) -> list[Point]:
    """Trains and measures every combination that is not there yet.

    Args:
        recipe: Name of a recipe that comes with vaekit, or a TOML file.
        over: What to go over, as for `combinations`.
        output: Folder of the runs; by default sweeps/<name>.
        settings: Changes that all runs share.
        listeners: Who is told of a run, given its settings, its number and how many there are.

    Raises:
        SpecError: A combination makes no sense; none has been trained then.
        Interrupted: SIGINT or SIGTERM arrived; the same call goes on.
    """
    chosen = combinations(over)
    recipes = [load_recipe(recipe, [*settings, *map("=".join, c.items())]) for c in chosen]
    folder = output or Path("sweeps") / recipes[0].name
    prepared = [
        prepare(one, folder / folder_name(point))
        for one, point in zip(recipes, chosen, strict=True)
    ]
    points: list[Point] = []
    for number, (point, (resolved, place)) in enumerate(zip(chosen, prepared, strict=True)):
        told = listeners(point, number, len(chosen))
        points.append(_trained(point, resolved, place, told))
    return points


def _trained(point: Settings, recipe: Recipe, folder: Path, listeners: Sequence[Listener]) -> Point:
    """A combination that leads nowhere is an answer, too: the others are trained all the same."""
    try:
        run = fit(recipe, folder, listeners)
        run.finish()
    except (DivergenceError, SpecError) as failure:
        return Point(point, None, failure)
    return Point(point, run)


def folder_name(settings: Settings) -> str:
    """What the folder of a combination is called.

    Example:
        >>> folder_name({"model.latent_dim": "2", "objective.beta": "0.5"})
        'model.latent_dim=2,objective.beta=0.5'
    """
    text = ",".join(map("=".join, settings.items()))
    return "".join(c if c.isalnum() or c in "=,.-_[]" else "_" for c in text)
