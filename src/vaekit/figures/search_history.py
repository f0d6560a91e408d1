"""A search for settings: what was reached by each trial, and by each value of a setting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from vaekit.errors import DataError
from vaekit.figures.style import MODEL, MUTED, VALIDATION, round_ticks, styled

PER_ROW: Final = 3


@dataclass(frozen=True)
class TrialPoint:
    """A trial: what it reached, and whether it was trained to its end."""

    number: int
    value: float
    is_complete: bool
    settings: Mapping[str, str]


@styled
def search_history(
    trials: Sequence[TrialPoint], label: str, maximize: bool, log: Sequence[str] = ()
) -> Figure:
    """Draws the objective against trials, and against each setting.

    Args:
        trials: Filled where complete, hollow where given up.
        label: What the objective is called.
        maximize: Whether more of it is better.
        log: Settings that have a logarithmic axis.

    Raises:
        DataError: There is nothing to draw, or a number is not finite.
    """
    if not trials or not all(np.isfinite(trial.value) for trial in trials):
        raise DataError(
            "There is no search to draw.",
            expected="finite numbers of one trial or more",
            found=f"{len(trials)} trials",
        )
    settings = list(trials[0].settings)
    columns = min(PER_ROW, 1 + len(settings))
    rows = -(-(1 + len(settings)) // columns)
    figure = Figure(figsize=(3.0 * columns, 2.6 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharey=True).flat
    first = next(axes)
    _scatter(first, trials, [float(trial.number) for trial in trials])
    _draw_best(first, trials, maximize)
    first.set(xlabel="trial", ylabel=label)
    first.xaxis.set_major_locator(round_ticks(6, integer=True))
    if not all(trial.is_complete for trial in trials):
        figure.legend(handles=first.lines[:2], loc="outside upper left", ncols=2)
    for name in settings:
        _draw_setting(next(axes), trials, name, name in log)
    for left in axes:
        left.set_visible(False)
    return figure


def _scatter(ax, trials: Sequence[TrialPoint], places: Sequence[float]) -> None:
    for is_complete, color, name in ((True, MODEL, "complete"), (False, "none", "given up")):
        chosen = [i for i, trial in enumerate(trials) if trial.is_complete == is_complete]
        x, y = [places[i] for i in chosen], [trials[i].value for i in chosen]
        ax.plot(x, y, "o", mfc=color, mec=MODEL, markersize=4.5, label=name)


def _draw_best(ax, trials: Sequence[TrialPoint], maximize: bool) -> None:
    """The best complete trial so far."""
    complete = [trial for trial in trials if trial.is_complete]
    if complete:
        best = np.maximum if maximize else np.minimum
        so_far = best.accumulate([trial.value for trial in complete])
        numbers = [trial.number for trial in complete]
        ax.step(numbers, so_far, where="post", color=VALIDATION, linewidth=1.0, zorder=0)


def _draw_setting(ax, trials: Sequence[TrialPoint], name: str, is_log: bool) -> None:
    values = [trial.settings[name] for trial in trials]
    numbers = _as_numbers(values)
    if numbers is None:
        names = sorted(set(values))
        _scatter(ax, trials, [float(names.index(value)) for value in values])
        ax.set_xticks(range(len(names)), names)
        ax.set_xlim(-0.5, len(names) - 0.5)
    else:
        _scatter(ax, trials, numbers)
        if is_log:
            ax.set_xscale("log")
            ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0), numticks=6))
            ax.xaxis.set_major_formatter("{x:g}")
            ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel(name, color=MUTED)


def _as_numbers(values: Sequence[str]) -> list[float] | None:
    try:
        return [float(value) for value in values]
    except ValueError:
        return None
