"""Loss curves: the terms of the bound, drawn apart.

    -ELBO = -E_q[log p(x | z)] + KL(q(z | x) || p(z))

One panel each, in nats per example over epochs. Apart, because a sum that stands still can
hide a KL term that collapses while the reconstruction makes up for it. What an objective has of its
own stands between: the distance of features and the opponent's loss, the accuracy of a class.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaekit.errors import DataError
from vaekit.figures.style import MINUS, MUTED, SHADE, TRAINING, VALIDATION, round_ticks, styled

Record: TypeAlias = Mapping[str, Any]

# Term of a record: its sign in a loss, and what its panel is called.
_PANELS = {
    "iwae_nats": (-1, f"{MINUS}IWAE bound"),
    "elbo_nats": (-1, f"{MINUS}ELBO"),
    "expected_log_likelihood_nats": (-1, f"{MINUS}E[log p(x|z)]"),
    "feature_error_nats": (1, "distance of features"),
    "discriminator_loss_nats": (1, "loss of the discriminator"),
    "accuracy": (1, "accuracy of the class"),
    "kl_nats": (1, "KL(q(z|x) ‖ p(z))"),
}
_LINES: dict[str, dict[str, Any]] = {
    "training": {"color": TRAINING, "linewidth": 1.1, "zorder": 2},
    "validation": {"color": VALIDATION, "linewidth": 1.6, "zorder": 3},
}
_EARLY = 0.1  # share of a run that does not decide the limits


class Curve(NamedTuple):
    """The finite values of one term."""

    epochs: Float[np.ndarray, " n"]
    values: Float[np.ndarray, " n"]


@styled
def loss_curves(records: Sequence[Record]) -> Figure:
    """Draws the terms of a run's log side by side, training and validation.

    Args:
        records: Lines of `metrics.jsonl`; a term that they lack gets no panel.

    Raises:
        DataError: No record holds a term to draw.
    """
    panels = {term: _curves(records, term, sign) for term, (sign, _) in _PANELS.items()}
    panels = {term: curves for term, curves in panels.items() if curves}
    if not panels:
        raise DataError(
            "There are no loss curves to draw.",
            expected=f"records with one of {', '.join(_PANELS)}",
            found=f"{len(records)} records without them" if records else "no records",
            remedy="train until the first log line, or lower training.log_every_steps",
        )
    columns = len(panels) if len(panels) <= 3 else 3 if len(panels) > 4 else 2
    rows = -(-len(panels) // columns)
    size = (max(4.4, 3.05 * columns), 2.45 * rows + 0.3)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(rows, columns, sharex=True, squeeze=False)
    axes = dict(zip(panels, grid.flat, strict=False))
    _draw_panels(axes, panels)
    if "kl_nats" in panels:
        _hint_beta(axes["kl_nats"], _curve(records, "training", "beta"))
    for ax in grid.flat[len(panels) :]:
        ax.set_axis_off()
    for ax in grid.flat[len(panels) - columns : len(panels)]:  # the lowest of each column
        ax.set_xlabel("epoch")
        ax.tick_params(labelbottom=True)
    for term, ax in axes.items():
        if ax in grid[:, 0]:
            ax.set_ylabel("share" if term == "accuracy" else "nats per example")
    handles, labels = grid.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=len(labels))
    return figure


def _curves(records: Sequence[Record], term: str, sign: int) -> dict[str, Curve]:
    """The curves of one panel by kind of record; those without a value are left out."""
    curves = {kind: _curve(records, kind, term, sign) for kind in _LINES}
    return {kind: curve for kind, curve in curves.items() if curve.values.size}


def _curve(records: Sequence[Record], kind: str, term: str, sign: int = 1) -> Curve:
    chosen = [r for r in records if r.get("kind") == kind and r.get(term) is not None]
    epochs = np.array([r["epoch"] for r in chosen], dtype=float)
    values = sign * np.array([r[term] for r in chosen], dtype=float)
    finite = np.isfinite(values)
    return Curve(epochs[finite], values[finite])


def _draw_panels(axes: dict[str, Axes], panels: dict[str, dict[str, Curve]]) -> None:
    curves_of_all = [curve for curves in panels.values() for curve in curves.values()]
    end = float(max(curve.epochs.max() for curve in curves_of_all)) or 1.0
    settled = {term: _settled_range(list(curves.values())) for term, curves in panels.items()}
    largest_span = max(high - low for low, high in settled.values())
    spans = {term: 0.0 if term == "accuracy" else largest_span for term in panels}
    for term, curves in panels.items():
        ax = axes[term]
        _draw(ax, curves)
        ax.set_title(_PANELS[term][1])
        ax.set_xlim(0, end)
        _set_limits(ax, list(curves.values()), _widen(settled[term], spans[term]))
        ax.xaxis.set_major_locator(round_ticks(6, integer=end >= 2))
        ax.yaxis.set_major_locator(round_ticks(6))
        ax.grid(axis="x", visible=False)


def _draw(ax: Axes, curves: dict[str, Curve]) -> None:
    for kind, (epochs, values) in curves.items():
        marker = "o" if len(values) <= 12 else ""
        ax.plot(epochs, values, label=kind, marker=marker, markersize=3, **_LINES[kind])
    kind, curve = list(curves.items())[-1]
    color, last = _LINES[kind]["color"], curve.values[-1]
    ax.plot(curve.epochs[-1], last, "o", color=color, markersize=3.5, zorder=4, clip_on=False)
    ax.annotate(  # beside the panel, where it covers no curve
        _number(last),
        xy=(1, last),
        xycoords=("axes fraction", "data"),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        color=color,
        fontsize=8.5,
        fontweight="bold",
    )


# -- limits ------------------------------------------------------------------------------------


def _settled_range(curves: list[Curve]) -> tuple[float, float]:
    """Between which values the curves lie once the first steps are over, spikes apart."""
    end = max(curve.epochs.max() for curve in curves)
    later = [curve.values[curve.epochs >= _EARLY * end] for curve in curves]
    low, high = np.percentile(np.concatenate(later), [0.5, 99.5])
    lasts = [curve.values[-1] for curve in curves]
    return float(min(low, *lasts)), float(max(high, *lasts))


def _widen(settled: tuple[float, float], largest_span: float) -> tuple[float, float]:
    """Keeps the noise of a term that stands still from filling its panel like news.

    The range grows to a quarter of the largest of all panels, if that is not more than a tenth
    of the term itself, or a nat; what is not negative stays so.
    """
    low, high = settled
    level = max(abs(low), abs(high))
    missing = min(largest_span / 4, max(0.1 * level, 1.0)) - (high - low)
    if missing <= 0:
        return low, high
    bottom = low - missing / 2 if low < 0 else max(0.0, low - missing / 2)
    return bottom, bottom + missing + high - low


def _set_limits(ax: Axes, curves: list[Curve], shown: tuple[float, float]) -> None:
    """Shows a range, and of what lies outside as much as half of it again.

    A run may begin orders of magnitude away from where it ends; what is cut off is said.
    """
    values = np.concatenate([curve.values for curve in curves])
    low, high = shown
    span = high - low or 0.1 * abs(high) or 1.0
    bottom = np.clip(values.min(), low - span / 2, low)
    top = np.clip(values.max(), high, high + span / 2)
    margin = 0.06 * (top - bottom) or span / 2
    ax.set_ylim(bottom - margin, top + margin)
    x = _EARLY + 0.07
    if values.max() > top + margin:
        text = f"↑ up to {_number(values.max())}"
        ax.text(x, 0.98, text, va="top", transform=ax.transAxes, color=MUTED, fontsize=8)
    if values.min() < bottom - margin:
        text = f"↓ down to {_number(values.min())}"
        ax.text(x, 0.02, text, va="bottom", transform=ax.transAxes, color=MUTED, fontsize=8)


# -- small things ------------------------------------------------------------------------------


def _hint_beta(ax: Axes, beta: Curve) -> None:
    """Where beta varies, shades its course behind the KL term, from 0 to its largest value."""
    if beta.values.size < 2 or np.ptp(beta.values) == 0:
        return
    heights = beta.values / beta.values.max()
    across = ax.get_xaxis_transform()
    ax.fill_between(beta.epochs, heights, transform=across, color=SHADE, linewidth=0, zorder=0)
    ax.set_title(f"shaded: β ≤ {beta.values.max():.2g}", loc="right", color=MUTED, fontsize=8)


def _number(value: float) -> str:
    """About four digits, with a proper minus: 91.23, 543.2, 1,234."""
    decimals = max(0, 4 - len(str(int(abs(value)))))
    return f"{value:,.{decimals}f}".replace("-", MINUS)
