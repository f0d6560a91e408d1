"""Pictures of a run: arrays in, `matplotlib.figure.Figure` out.

No function here touches pyplot, the screen or a global setting; the same arrays give the
same bytes on disk.
"""

from vaekit.figures.compared_curves import compared_curves
from vaekit.figures.latent_map import latent_map
from vaekit.figures.loss_curves import loss_curves
from vaekit.figures.reconstructions import reconstructions
from vaekit.figures.samples import samples
from vaekit.figures.save import save
from vaekit.figures.sheet import sheet

__all__ = [
    "compared_curves",
    "latent_map",
    "loss_curves",
    "reconstructions",
    "samples",
    "save",
    "sheet",
]
