"""Sheets of vectors: a small panel per example, or a heat map where there are many features."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from jaxtyping import Real
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaekit.figures.style import MINUS, MODEL, MUTED, ORIGINAL, round_ticks

Series: TypeAlias = Mapping[str, Real[np.ndarray, "n features"]]

_MOST_FEATURES = 30  # of a panel; more become a heat map
_PANELS, _COLUMNS, _ROWS = 12, 4, 30
_INCOMPARABLE = 20.0


def vector_sheet(
    series: Series, title: str | None, captions: Sequence[str] | None = None
) -> Figure:
    """Draws the first examples of one series, or of two that are compared.

    Features of very different size are drawn in standard deviations from their mean, those of
    the first series. A caption stands above its panel, or beside its row of the heat map.
    """
    n, features = _first(series).shape
    few = features <= _MOST_FEATURES
    shown = min(n, _PANELS if few else _ROWS)
    scaled, unit = comparable(series)
    cut = {label: values[:shown] for label, values in scaled.items()}
    draw = _panels if few else _heat_maps
    figure = draw(cut, unit, list(captions or ())[:shown])
    counted = f"first {shown} of {n}" if shown < n else None
    text = ", ".join(part for part in (title, counted) if part)
    if text:
        figure.suptitle(text, x=0.012, ha="left", fontsize=9.5)
    return figure


def _first(series: Series) -> np.ndarray:
    return next(iter(series.values()))


def comparable(series: Series) -> tuple[Series, str]:
    """Features that one scale can show, and what a unit of it is."""
    reference = np.ma.masked_invalid(_first(series).astype(float))
    mean, spread = (np.ma.filled(m, 0.0) for m in (reference.mean(axis=0), reference.std(axis=0)))
    varying = spread[spread > 0]
    if len(reference) < 8 or varying.size == 0:
        return series, "value"
    if np.max(np.abs(mean) + spread) <= _INCOMPARABLE * np.quantile(varying, 0.1):
        return series, "value"
    scale = np.where(spread > 0, spread, 1.0)
    return {label: (values - mean) / scale for label, values in series.items()}, "std. deviations"


# -- few features: a panel per example ---------------------------------------------------------


def _panels(series: Series, unit: str, captions: Sequence[str]) -> Figure:
    n, features = _first(series).shape
    columns = min(n, _COLUMNS)
    rows = -(-n // columns)
    height = (1.5 if captions else 1.35) * rows + 0.8
    figure = Figure(figsize=(max(4.4, 2.25 * columns), height), layout="constrained")
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for index, ax in enumerate(grid.flat[:n]):
        _profile(ax, {label: values[index] for label, values in series.items()})
        ax.tick_params(labelbottom=index + columns >= n)  # nothing below
    for ax, caption in zip(grid.flat, captions, strict=False):
        ax.set_title(caption, fontsize=8, color=MUTED)
    for ax in grid.flat[n:]:
        ax.set_visible(False)
    grid[0, 0].set_xlim(-0.7, features - 0.3)
    grid[0, 0].xaxis.set_major_locator(round_ticks(7, integer=True))
    grid[0, 0].yaxis.set_major_locator(round_ticks(5))
    figure.supxlabel("feature", fontsize=9, color=MUTED)
    figure.supylabel(unit, fontsize=9, color=MUTED)
    if len(series) > 1:
        handles, labels = grid[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=2, handlelength=1)
    return figure


def _profile(ax: Axes, vectors: Mapping[str, Real[np.ndarray, " features"]]) -> None:
    """Dots and no line, because the order of features in a table means nothing."""
    (label, values), *others = vectors.items()
    positions = np.arange(len(values))
    ax.grid(axis="x", visible=False)
    if not others:
        ax.vlines(positions, 0, values, color=MODEL, linewidth=1, alpha=0.5)
        ax.plot(positions, values, "o", color=MODEL, markersize=3.2, label=label)
        return
    (other_label, other_values) = others[0]
    ax.vlines(positions, values, other_values, color=MODEL, linewidth=1, alpha=0.6)
    ax.plot(positions, values, "o", color=ORIGINAL, markersize=3.4, label=label)
    ring = {"markerfacecolor": "none", "markersize": 4.6, "markeredgewidth": 1.1}
    ax.plot(positions, other_values, "o", color=MODEL, label=other_label, **ring)


# -- many features: a heat map per series ------------------------------------------------------


def _heat_maps(series: Series, unit: str, captions: Sequence[str]) -> Figure:
    """A row is an example; two series are followed by their difference, on a scale of its own."""
    low, high = value_range(_first(series))
    maps = {label: (values, low, high, "cividis") for label, values in series.items()}
    if len(series) > 1:
        original, answer = series.values()
        difference = answer.astype(float) - original
        reach = max(map(abs, value_range(difference)))
        maps[f"reconstruction {MINUS} original"] = (difference, -reach, reach, "RdBu_r")
    height = np.clip((0.16 if captions else 0.1) * len(_first(series)), 0.8, 2.0) + 0.35
    figure = Figure(figsize=(9, height * len(maps) + 0.5), layout="constrained")
    axes = figure.subplots(len(maps), 1, sharex=True, squeeze=False)[:, 0]
    for ax, (label, (values, bottom, top, colors)) in zip(axes, maps.items(), strict=True):
        image = ax.imshow(
            values, colors, aspect="auto", interpolation="nearest", vmin=bottom, vmax=top
        )
        ax.set(title=label if unit == "value" else f"{label}, {unit}", yticks=[])
        ax.grid(visible=False)
        ax.spines[:].set_visible(False)
        bar = figure.colorbar(image, ax=ax, pad=0.01, aspect=12, ticks=round_ticks(5))
        bar.outline.set_visible(False)
        if captions:
            ax.set_yticks(range(len(captions)), captions, fontsize=7)
    axes[-1].set_xlabel("feature")
    figure.supylabel("example", fontsize=9, color=MUTED)
    return figure


def value_range(values: np.ndarray) -> tuple[float, float]:
    """Limits of a colour scale that a few extreme values do not decide."""
    finite = values[np.isfinite(values)]
    low, high = np.percentile(finite, [0.5, 99.5]) if finite.size else (0.0, 1.0)
    return (float(low), float(high)) if low < high else (float(low), float(low) + 1.0)
