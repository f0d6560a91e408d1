"""Models: parts wired together, behind one interface. Pick one."""

from typing import Annotated, TypeAlias

from pydantic import Field

from vaekit.models.autoencoder import Autoencoder, AutoencoderSpec
from vaekit.models.codebook import Codebook, CodebookSpec
from vaekit.models.decoder import Decoder
from vaekit.models.discrete import CategoricalVAE, CategoricalVAESpec, RelaxationSpec
from vaekit.models.encoder import Encoder
from vaekit.models.hierarchical import HierarchicalVAE, HierarchicalVAESpec
from vaekit.models.ladder import LadderVAE, LadderVAESpec
from vaekit.models.layers import refuse_conditions
from vaekit.models.model import (
    Encoding,
    Facts,
    Inference,
    Latents,
    Model,
    Noise,
    log_prob_per_value,
)
from vaekit.models.semi_supervised import SemiSupervisedVAE, SemiSupervisedVAESpec
from vaekit.models.vae import VAE, VAESpec
from vaekit.models.vector_quantized import VQVAE, VQVAESpec

ModelSpec: TypeAlias = Annotated[
    VAESpec
    | HierarchicalVAESpec
    | LadderVAESpec
    | AutoencoderSpec
    | CategoricalVAESpec
    | VQVAESpec
    | SemiSupervisedVAESpec,
    Field(discriminator="kind"),
]

__all__ = [
    "VAE",
    "VQVAE",
    "Autoencoder",
    "AutoencoderSpec",
    "CategoricalVAE",
    "CategoricalVAESpec",
    "Codebook",
    "CodebookSpec",
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
    "RelaxationSpec",
    "SemiSupervisedVAE",
    "SemiSupervisedVAESpec",
    "VAESpec",
    "VQVAESpec",
    "log_prob_per_value",
    "refuse_conditions",
]
