"""The loss curves of several runs in one picture: validation, or training where there is none."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from matplotlib.figure import Figure

from vaekit.errors import DataError
from vaekit.figures.style import CLASSES, MINUS, round_ticks, styled

Records: TypeAlias = Sequence[Mapping[str, Any]]

_PANELS = {
    "elbo_nats": (-1, f"{MINUS}ELBO"),
    "expected_log_likelihood_nats": (-1, f"{MINUS}E[log p(x|z)]"),
    "kl_nats": (1, "KL(q(z|x) ‖ p(z))"),
}
_EARLY = 0.1  # share of a run that does not decide the limits


@styled
def compared_curves(logs: Mapping[str, Records]) -> Figure:
    """Draws every term that all runs have, a line for each run.

    Args:
        logs: Lines of `metrics.jsonl` by the name of the run; at most ten runs.

    Raises:
        DataError: The logs have no term in common, or there are too many.
    """
    held_out = {name: _held_out(records) for name, records in logs.items()}
    shared = [
        term for term in _PANELS if all(any(term in r for r in rs) for rs in held_out.values())
    ]
    if not shared or not 1 <= len(logs) <= len(CLASSES):
        raise DataError(
            "These runs cannot be drawn together.",
            expected=f"1 to {len(CLASSES)} logs that have one of {', '.join(_PANELS)} in common",
            found=f"{len(logs)} logs with {', '.join(shared) or 'nothing'} in common",
        )
    figure = Figure(figsize=(max(4.4, 3.05 * len(shared)), 3.0), layout="constrained")
    grid = figure.subplots(1, len(shared), squeeze=False)[0]
    for ax, term in zip(grid, shared, strict=True):
        sign, title = _PANELS[term]
        curves = [_curve(records, term, sign) for records in held_out.values()]
        for color, name, (epochs, values) in zip(CLASSES, held_out, curves, strict=False):
            ax.plot(epochs, values, color=color, label=name)
        ax.set(title=title, xlabel="epoch", ylim=_limits(curves))
        ax.xaxis.set_major_locator(round_ticks(6))
        ax.yaxis.set_major_locator(round_ticks(6))
        ax.grid(axis="x", visible=False)
    grid[0].set_ylabel("nats per example")
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=min(3, len(labels)))
    return figure


def _held_out(records: Records) -> Records:
    validation = [record for record in records if record.get("kind") == "validation"]
    return validation or list(records)


def _curve(records: Records, term: str, sign: int) -> tuple[np.ndarray, np.ndarray]:
    chosen = [record for record in records if record.get(term) is not None]
    epochs = np.array([record["epoch"] for record in chosen], dtype=float)
    return epochs, sign * np.array([record[term] for record in chosen], dtype=float)


def _limits(curves: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[float, float]:
    """Where the curves lie once the first steps are over."""
    end = max(epochs.max() for epochs, _ in curves)
    later = np.concatenate([values[epochs >= _EARLY * end] for epochs, values in curves])
    low, high = float(later.min()), float(later.max())
    margin = 0.06 * (high - low) or 0.5
    return low - margin, high + margin
