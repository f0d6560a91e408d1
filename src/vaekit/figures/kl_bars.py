"""KL per latent dimension: which dimensions carry information, and which have collapsed.

A dimension whose posterior is the prior for every example tells the decoder nothing; its KL
is zero. Bars are sorted and on a linear scale, so that their area is the KL term itself; what
is too low to be seen as a bar gets a ring on the axis.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaekit.errors import DataError
from vaekit.figures.style import MODEL, MUTED, round_ticks, styled

MOST_LAYERS = 6
_LEAST, _MOST_NAMES = 12, 48  # bars beside each other; those with room for an index
_COLLAPSED = "#c2410c"


@styled
def kl_bars(
    kl_per_dimension: Sequence[Float[np.ndarray, " _"]],
    threshold: float = 0.01,
    active_units: int | None = None,
) -> Figure:
    """Draws the KL of every dimension as a bar, the largest first; a panel for each layer.

    Args:
        kl_per_dimension: Mean KL(q(z_i|x) || p(z_i)) in nats, an array per stochastic layer.
        threshold: Below this many nats a dimension is drawn as collapsed.
        active_units: How many dimensions are active by the reader's own measure, to be written
            beside.

    Raises:
        DataError: There is nothing to draw, or a number is not finite.
    """
    _check(kl_per_dimension)
    layers, widest = len(kl_per_dimension), max(map(len, kl_per_dimension))
    places = max(widest, _LEAST)
    size = (float(np.clip(1.5 + 0.2 * places, 5.4, 9.0)), min(2.7, 9 / layers) * layers + 0.2)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(layers, 1, squeeze=False)[:, 0]
    for layer, (ax, kl) in enumerate(zip(grid, kl_per_dimension, strict=True)):
        _draw(ax, kl, threshold, places)
        name = "KL" if layers == 1 else f"layer {layer}: KL"
        ax.set_title(f"{name} {kl.sum():,.2f} nats over {len(kl)} dimensions")
        ax.set_ylabel("nats")
    grid[-1].set_xlabel("dimension of z, sorted by KL", labelpad=7)
    if active_units is not None:
        total = sum(map(len, kl_per_dimension))
        text = f"{active_units} of {total} active"
        grid[0].set_title(text, loc="right", color=MUTED, fontsize=8.5)
    return figure


def _check(kl_per_dimension: Sequence[np.ndarray]) -> None:
    shapes = [kl.shape for kl in kl_per_dimension]
    drawable = all(len(shape) == 1 and shape[0] > 0 for shape in shapes)
    if not drawable or not 1 <= len(shapes) <= MOST_LAYERS:
        raise DataError(
            "There is no KL per dimension to draw.",
            expected=f"1 to {MOST_LAYERS} arrays of shape (latent,)",
            found=", ".join(map(str, shapes)) or "no array",
            remedy="pass one array per stochastic layer, averaged over examples",
        )
    if not all(np.isfinite(kl).all() for kl in kl_per_dimension):
        raise DataError(
            "A KL divergence is not a finite number.",
            remedy="look for what makes the encoder overflow",
        )


def _draw(ax: Axes, kl: Float[np.ndarray, " latent"], threshold: float, room: int) -> None:
    order = np.argsort(-kl, kind="stable")
    heights, places = kl[order], np.arange(len(kl))
    collapsed = heights < threshold
    ax.bar(places[~collapsed], heights[~collapsed], width=0.8, color=MODEL)
    if collapsed.any():
        ring = {"markerfacecolor": "none", "markersize": 3.6, "markeredgewidth": 1.0}
        label = f"{collapsed.sum()} collapsed: below {threshold:g} nats"
        zeros = np.zeros(collapsed.sum())
        ax.plot(places[collapsed], zeros, "o", color=_COLLAPSED, label=label, clip_on=False, **ring)
        clear = {"frameon": True, "facecolor": "white", "edgecolor": "none", "framealpha": 1.0}
        ax.legend(loc="upper right", handlelength=1, **clear)  # of the lines of the grid
    top = max(float(heights[0]), threshold)
    ax.set(xlim=(-0.7, room - 0.3), ylim=(0, 1.08 * top))
    ax.yaxis.set_major_locator(round_ticks(5))
    ax.grid(axis="x", visible=False)
    if room <= _MOST_NAMES:
        ax.set_xticks(places, [str(index) for index in order], fontsize=7)
    else:
        ax.set_xticks([])
    ax.tick_params(axis="x", length=0)
