"""Models: parts wired together, behind one interface. Pick one."""

from typing import Annotated, TypeAlias

from pydantic import Field

from vaekit.models.autoencoder import Autoencoder, AutoencoderSpec
from vaekit.models.model import Facts, Inference, Latents, Model, Noise
from vaekit.models.vae import VAE, VAESpec

ModelSpec: TypeAlias = Annotated[VAESpec | AutoencoderSpec, Field(discriminator="kind")]

__all__ = [
    "VAE",
    "Autoencoder",
    "AutoencoderSpec",
    "Facts",
    "Inference",
    "Latents",
    "Model",
    "ModelSpec",
    "Noise",
    "VAESpec",
]
