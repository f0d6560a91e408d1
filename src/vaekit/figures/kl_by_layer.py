"""KL per stochastic layer: where in a hierarchy the information is."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from vaekit.errors import DataError
from vaekit.figures.style import MODEL, round_ticks, styled


@styled
def kl_by_layer(kl_per_layer: Sequence[float]) -> Figure:
    """Draws the KL of every layer as a bar, from the top layer on the left to that nearest x.

    Args:
        kl_per_layer: Mean KL of each layer in nats, the top first.

    Raises:
        DataError: There is nothing to draw, or a number is not finite.
    """
    if not kl_per_layer or not np.isfinite(kl_per_layer).all():
        raise DataError(
            "There is no KL per layer to draw.",
            expected="a finite number for each layer",
            found=", ".join(map(str, kl_per_layer)) or "no number",
        )
    layers = len(kl_per_layer)
    width = float(np.clip(2 + 0.4 * layers, 4.4, 9.0))
    figure = Figure(figsize=(width, 2.7), layout="constrained")
    ax = figure.add_subplot()
    ax.bar(range(layers), kl_per_layer, width=0.8, color=MODEL)
    ax.set_title(f"KL {sum(kl_per_layer):,.2f} nats over {layers} layers")
    ax.set(xlabel="layer, from the top to x", ylabel="nats", xlim=(-0.7, layers - 0.3))
    ax.xaxis.set_major_locator(round_ticks(min(12, layers), integer=True))
    ax.yaxis.set_major_locator(round_ticks(5))
    ax.grid(axis="x", visible=False)
    return figure
