"""Samples of two betas, and maps of the codes: figures 2 and 3 of the article."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from vaekit.figures import sheet
from vaekit.figures.style import CLASSES, INK, styled
from vaekit.studies.dynamics.ending import SHOWN
from vaekit.studies.dynamics.findings import Findings, Setting
from vaekit.studies.dynamics.results import Content, unpacked

COLUMNS = 4
MOST = 0.98
"""Share of the codes that a map shows; the rest may be far away."""


def sampled(findings: Findings, setting: Setting) -> Figure:
    """Samples at beta 0 and 1 of the first seed, with the sharpness of all samples beside data."""
    chosen = [cells[0] for beta, cells in findings.by_beta(setting) if beta in (0.0, 1.0)]
    series = {_words(cell): unpacked(cell["samples"], SHOWN) for cell in chosen}
    title = (
        f"p(x|z) means for z ~ p(z), {setting}, seed {chosen[0]['settings']['seed']}, not picked"
    )
    sharp = "; ".join(f"{_words(cell)}: {_sharpness(cell):.2f}" for cell in chosen)
    return sheet(series, f"{title}. Sharpness as a share of the data's: {sharp}", 0.0, 1.0)


@styled
def maps(findings: Findings, setting: Setting) -> Figure:
    """Posterior means of held-out digits of the first seed, with circles of the prior."""
    chosen = [cells[0] for _, cells in findings.by_beta(setting) if "codes" in cells[0]]
    rows = -(-len(chosen) // COLUMNS)
    figure = Figure(figsize=(8.8, 2.35 * rows + 0.3), layout="constrained")
    grid = list(figure.subplots(rows, COLUMNS, squeeze=False).flat)
    for ax, cell in zip(grid, chosen, strict=False):
        _map(ax, cell)
    for ax in grid[len(chosen) :]:
        ax.set_axis_off()
    return figure


def _map(ax: Axes, cell: Content) -> None:
    codes = np.array(cell["codes"])
    labels = np.array([int(label) for label in cell["labels"]])
    colors = np.array(CLASSES)[labels % len(CLASSES)]
    ax.scatter(*codes.T, c=colors, s=4, linewidths=0, rasterized=True)
    for radius in (1, 2):
        ax.add_patch(Circle((0, 0), radius, fill=False, edgecolor=INK, linewidth=0.8))
    reach = max(2.6, float(np.quantile(np.abs(codes), MOST)))
    ax.set(
        title=f"$\\beta$ = {cell['settings']['beta']:g}",
        xlim=(-reach, reach),
        ylim=(-reach, reach),
        aspect="equal",
    )


def _words(cell: Content) -> str:
    return f"beta {cell['settings']['beta']:g}"


def _sharpness(cell: Content) -> float:
    return cell["end"]["sharpness_samples"] / cell["end"]["sharpness_data"]
