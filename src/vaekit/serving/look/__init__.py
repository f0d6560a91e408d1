"""The web page of the service: models, samples, latent spaces, and a canvas to draw on."""

from vaekit.serving.look.look import Look
from vaekit.serving.look.traffic import Traffic

__all__ = ["Look", "Traffic"]
