"""Pictures of a run: arrays in, `matplotlib.figure.Figure` out; and the report that holds them.

No function here touches pyplot, the screen or a global setting; the same arrays give the
same bytes on disk.
"""

from vaekit.figures.compared_curves import compared_curves
from vaekit.figures.histograms import histograms
from vaekit.figures.interpolations import interpolations
from vaekit.figures.kl_bars import kl_bars
from vaekit.figures.kl_by_layer import kl_by_layer
from vaekit.figures.latent_map import latent_map
from vaekit.figures.loss_curves import loss_curves
from vaekit.figures.rate_distortion import rate_distortion
from vaekit.figures.reconstructions import reconstructions
from vaekit.figures.report import (
    DataCard,
    Embedded,
    Picture,
    Report,
    embedded,
    report_page,
    report_style,
)
from vaekit.figures.samples import samples
from vaekit.figures.save import encoded, save
from vaekit.figures.schedule import schedule_curve
from vaekit.figures.search_history import TrialPoint, search_history
from vaekit.figures.sheet import sheet
from vaekit.figures.sorted_bars import sorted_bars
from vaekit.figures.style import CLASSES, MUTED, styled
from vaekit.figures.traversals import traversals
from vaekit.figures.worst_reconstructions import worst_reconstructions

__all__ = [
    "CLASSES",
    "MUTED",
    "DataCard",
    "Embedded",
    "Picture",
    "Report",
    "TrialPoint",
    "compared_curves",
    "embedded",
    "encoded",
    "histograms",
    "interpolations",
    "kl_bars",
    "kl_by_layer",
    "latent_map",
    "loss_curves",
    "rate_distortion",
    "reconstructions",
    "report_page",
    "report_style",
    "samples",
    "save",
    "schedule_curve",
    "search_history",
    "sheet",
    "sorted_bars",
    "styled",
    "traversals",
    "worst_reconstructions",
]
