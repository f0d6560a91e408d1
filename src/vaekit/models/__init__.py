"""Models: parts wired together, behind one interface. Pick one."""

from typing import Annotated, TypeAlias

from pydantic import Field

from vaekit.models.autoencoder import Autoencoder, AutoencoderSpec
from vaekit.models.decoder import Decoder
from vaekit.models.discrete import CategoricalVAE, CategoricalVAESpec, RelaxationSpec
from vaekit.models.encoder import Encoder
from vaekit.models.model import (
    Encoding,
    Facts,
    Inference,
    Latents,
    Model,
    Noise,
    log_prob_per_value,
)
from vaekit.models.vae import VAE, VAESpec

ModelSpec: TypeAlias = Annotated[VAESpec | AutoencoderSpec | CategoricalVAESpec, Field(discriminator="kind")]

__all__ = [
    "VAE",
    "Autoencoder",
    "AutoencoderSpec",
    "CategoricalVAE",
    "CategoricalVAESpec",
    "Decoder",
    "Encoder",
    "Encoding",
    "Facts",
    "Inference",
    "Latents",
    "Model",
    "ModelSpec",
    "Noise",
    "RelaxationSpec",
    "VAESpec",
    "log_prob_per_value",
]
