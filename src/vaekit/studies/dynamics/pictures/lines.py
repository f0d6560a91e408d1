"""Curves over the epochs, a colour for each beta, a band where there are several seeds."""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from vaekit.figures.style import CLASSES
from vaekit.studies.dynamics.results import Content
from vaekit.studies.dynamics.statistics import Curve, curve

Shown = Callable[[Content], Curve]


def epochs(cell: Content) -> Curve:
    """When the readings were made; those before the first update are left to the reader."""
    return curve(cell, "step") / cell["steps_per_epoch"]


def color_of(betas: Sequence[float], beta: float) -> str:
    """The same colour for a beta in every panel."""
    return CLASSES[list(betas).index(beta) % len(CLASSES)]


def draw(ax: Axes, cells: Sequence[Content], shown: Shown, color: str, label: str) -> None:
    """The mean over seeds and the range between the smallest and the largest, on log time."""
    time = epochs(cells[0])
    values = np.stack([shown(cell) for cell in cells])
    later = time > 0
    ax.plot(time[later], values.mean(0)[later], color=color, label=label, linewidth=1.3)
    if len(cells) > 1:
        low, high = values.min(0)[later], values.max(0)[later]
        ax.fill_between(time[later], low, high, color=color, alpha=0.2, linewidth=0)


def plain_log_ticks(ax: Axes) -> None:
    """Marks 1, 2 and 5 of every power of ten, as plain numbers, on an axis of few powers."""
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_locator(NullLocator())


def column(name: str, sign: float = 1.0) -> Shown:
    """A column as it is, or with its sign changed."""
    return lambda cell: sign * curve(cell, name)
