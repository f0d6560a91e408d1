"""Bars of many numbers, the largest first, with a line where something begins."""

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from vaekit.errors import DataError
from vaekit.figures.style import MODEL, VALIDATION, round_ticks, styled

MOST_NAMES = 40


@styled
def sorted_bars(
    values: Float[np.ndarray, " _"], title: str, labels: tuple[str, str], line: float | None = None
) -> Figure:
    """Draws a bar for each number, named by its place where there are few.

    Args:
        values: Finite numbers.
        title: Text above.
        labels: Of both axes: what is counted, and what it is measured in.
        line: Height of a line across.

    Raises:
        DataError: There is nothing to draw.
    """
    if values.ndim != 1 or len(values) == 0 or not np.isfinite(values).all():
        raise DataError(
            "There are no numbers to draw bars of.",
            expected="an array of finite numbers",
            found=f"shape {values.shape}",
        )
    order = np.argsort(-values, kind="stable")
    figure = Figure(figsize=(float(np.clip(2 + 0.16 * len(values), 5.4, 9)), 2.7))
    figure.set_layout_engine("constrained")
    ax = figure.add_subplot()
    places = np.arange(len(values))
    ax.bar(places, values[order], width=0.8, color=MODEL)
    if line is not None:
        ax.axhline(line, color=VALIDATION, linewidth=1, linestyle="--")
    ax.set(xlabel=labels[0], ylabel=labels[1], title=title, xlim=(-0.7, len(values) - 0.3))
    ax.set_ylim(0, 1.08 * max(float(values.max()), line or 0.0) or 1.0)
    ax.yaxis.set_major_locator(round_ticks(5))
    ax.grid(axis="x", visible=False)
    few = len(values) <= MOST_NAMES
    ax.set_xticks(places if few else [], [str(i) for i in order] if few else [], fontsize=7)
    ax.tick_params(axis="x", length=0)
    return figure
