"""Rate against distortion: what a code costs, and what it leaves to guess.

    rate R = KL(q(z|x) || p(z)),    distortion D = -E_q[log p(x|z)],    -ELBO = R + D

Both in nats per example. Lines of equal ELBO fall at 45 degrees; a model that is better at every
rate lies below.

Reference:
    Alemi et al. (2018), Fixing a Broken ELBO, https://arxiv.org/abs/1711.00464
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from vaekit.errors import DataError
from vaekit.figures.style import CLASSES, GRID, MINUS, MUTED, round_ticks, styled

MOST_NAMES = 12


@styled
def rate_distortion(points: Mapping[str, tuple[float, float]], title: str) -> Figure:
    """Draws a point for each model.

    Args:
        points: Rate and distortion in nats, by the name of the model.
        title: Says of which examples.

    Raises:
        DataError: There is nothing to draw, or a number is not finite.
    """
    values = np.array(list(points.values()), dtype=float).reshape(-1, 2)
    if not len(values) or not np.isfinite(values).all():
        raise DataError(
            "There is no rate or distortion to draw.",
            expected="finite numbers for one model or more",
            found=f"{len(values)} models",
        )
    figure = Figure(figsize=(5.6, 4.2), layout="constrained")
    ax = figure.subplots()
    low, high = _limits(values)
    _lines_of_equal_bound(ax, low, high)
    ax.grid(False)  # the lines of equal bound are the grid
    order = np.argsort(values[:, 0], kind="stable")
    ax.plot(*values[order].T, color=MUTED, linewidth=0.8, zorder=1)
    for index, (name, (rate, distortion)) in enumerate(points.items()):
        color = CLASSES[index % len(CLASSES)]
        ax.plot(rate, distortion, "o", color=color, label=name, zorder=2)
    ax.set(
        title=title,
        xlabel="rate: KL(q(z|x) ‖ p(z)), nats",
        ylabel=f"distortion: {MINUS}E[log p(x|z)], nats",
        xlim=(low[0], high[0]),
        ylim=(low[1], high[1]),
    )
    ax.xaxis.set_major_locator(round_ticks(6))
    ax.yaxis.set_major_locator(round_ticks(6))
    if len(points) <= MOST_NAMES:
        ax.legend(loc="upper right", fontsize=7.5, frameon=True, framealpha=1, edgecolor="none")
    return figure


def _limits(values: np.ndarray) -> tuple[Sequence[float], Sequence[float]]:
    low, high = values.min(0), values.max(0)
    room = np.maximum(0.1 * (high - low), 0.5)
    return (low - room).tolist(), (high + room).tolist()


def _lines_of_equal_bound(ax, low: Sequence[float], high: Sequence[float]) -> None:
    ticks = round_ticks(8).tick_values(low[0] + low[1], high[0] + high[1])
    for bound in ticks:
        rates = np.array([low[0], high[0]])
        ax.plot(rates, bound - rates, color=GRID, linewidth=0.7, zorder=0)
        start = max(bound - high[1], low[0])  # where the line comes in, on top or at the left
        if low[1] < bound - start and start < 0.75 * high[0] + 0.25 * low[0]:  # not at the legend
            side = "bottom" if start == low[0] else "top"
            text = f" {MINUS}ELBO {bound:g}"
            ax.text(start, bound - start, text, color=MUTED, fontsize=7, va=side, zorder=0)
