"""A schedule over epochs, and where training ended on it."""

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from vaekit.errors import DataError
from vaekit.figures.style import MODEL, MUTED, VALIDATION, round_ticks, styled


@styled
def schedule_curve(
    epochs: Float[np.ndarray, " n"], values: Float[np.ndarray, " n"], name: str, end: float
) -> Figure:
    """Draws a schedule; what training did not reach is dashed.

    Args:
        epochs: Where the schedule was evaluated, in order.
        values: Its values there.
        name: What it is a schedule of.
        end: Epoch at which training ended.

    Raises:
        DataError: There are fewer than two points.
    """
    if len(epochs) < 2 or len(epochs) != len(values):
        raise DataError(
            "A schedule needs points to be drawn through.",
            expected="as many epochs as values, two or more",
            found=f"{len(epochs)} and {len(values)}",
        )
    figure = Figure(figsize=(6.6, 2.7), layout="constrained")
    ax = figure.add_subplot()
    reached = float(np.interp(end, epochs, values))
    seen = epochs <= end
    ax.plot(epochs, values, color=MUTED, linestyle="--", label="the schedule")
    ax.plot(
        [*epochs[seen], end], [*values[seen], reached], color=MODEL, linewidth=2.5, label="training"
    )
    ax.plot([end], [reached], "o", color=VALIDATION, clip_on=False, label="its end")
    ax.set(xlabel="epoch", ylabel=name, xlim=(0, None), ylim=(min(0.0, float(values.min())), None))
    ax.set_title(f"{name} after {end:g} epochs: {reached:.3g} of {values[-1]:g}")
    ax.yaxis.set_major_locator(round_ticks(5))
    ax.legend(loc="upper left")
    return figure
