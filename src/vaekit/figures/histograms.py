"""Histograms of several sets of numbers over one axis, as shares of each set."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from vaekit.errors import DataError
from vaekit.figures.style import MODEL, MUTED, VALIDATION, round_ticks, styled

_COLOURS = (MODEL, VALIDATION, MUTED)
_BINS = 40


@styled
def histograms(
    series: Mapping[str, Float[np.ndarray, " _"]],
    label: str,
    title: str,
    marks: Mapping[str, float] | None = None,
) -> Figure:
    """Draws up to three sets of numbers; what is outside their middle 99 % is at the edges.

    Args:
        series: Numbers by the name of their set.
        label: What they are, with their unit.
        title: Text above.
        marks: Places on the axis that have a name.

    Raises:
        DataError: There is nothing to draw.
    """
    finite = {name: values[np.isfinite(values)] for name, values in series.items()}
    if not 1 <= len(finite) <= len(_COLOURS) or not all(map(len, finite.values())):
        raise DataError(
            "There are no numbers to draw a histogram of.",
            expected=f"1 to {len(_COLOURS)} sets of finite numbers",
            found=", ".join(f"{name}: {len(v)}" for name, v in series.items()) or "no set",
        )
    everything = np.concatenate([*finite.values(), np.array(list((marks or {}).values()))])
    low, high = np.quantile(everything, [0.005, 0.995])
    low, high = min(low, *(marks or {"": low}).values()), max(high, *(marks or {"": high}).values())
    if low == high:
        low, high = low - 0.5, high + 0.5
    figure = Figure(figsize=(6.6, 2.9), layout="constrained")
    ax = figure.add_subplot()
    edges = np.linspace(low, high, _BINS + 1)
    for colour, (name, values) in zip(_COLOURS, finite.items(), strict=False):
        shares = np.histogram(values.clip(low, high), edges)[0] / len(values)
        ax.stairs(shares, edges, color=colour, fill=True, alpha=0.35)
        ax.stairs(shares, edges, color=colour, label=name, linewidth=1.3)
    for name, place in (marks or {}).items():
        ax.axvline(place, color=MUTED, linewidth=1, linestyle="--")
        ax.annotate(
            name,
            (place, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(3 if place < (low + high) / 2 else -3, -3),
            textcoords="offset points",
            ha="left" if place < (low + high) / 2 else "right",
            va="top",
            color=MUTED,
            fontsize=8,
        )
    ax.set(xlabel=label, ylabel="share", title=title)
    ax.yaxis.set_major_locator(round_ticks(4))
    if len(finite) > 1:
        figure.legend(loc="outside lower center", ncols=len(finite))
    return figure
