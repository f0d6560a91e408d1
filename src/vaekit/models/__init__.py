"""Models: parts wired together, behind one interface. Pick one."""

from typing import Annotated, TypeAlias

from pydantic import Field

from vaekit.models.autoencoder import Autoencoder, AutoencoderSpec
from vaekit.models.decoder import Decoder
from vaekit.models.encoder import Encoder
from vaekit.models.hierarchical import HierarchicalVAE, HierarchicalVAESpec
from vaekit.models.ladder import LadderVAE, LadderVAESpec
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

ModelSpec: TypeAlias = Annotated[
    VAESpec | HierarchicalVAESpec | LadderVAESpec | AutoencoderSpec, Field(discriminator="kind")
]

__all__ = [
    "VAE",
    "Autoencoder",
    "AutoencoderSpec",
    "Decoder",
    "Encoder",
    "Encoding",
    "Facts",
    "HierarchicalVAE",
    "HierarchicalVAESpec",
    "Inference",
    "LadderVAE",
    "LadderVAESpec",
    "Latents",
    "Model",
    "ModelSpec",
    "Noise",
    "VAESpec",
    "log_prob_per_value",
]
