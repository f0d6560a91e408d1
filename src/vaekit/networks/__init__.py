"""Networks: tensors in, tensors out. Pick one for the encoder and one for the decoder."""

from typing import Annotated, TypeAlias

from pydantic import Field

from vaekit.networks.conv import ConvSpec
from vaekit.networks.discriminator import Discriminator, Verdict
from vaekit.networks.features import Features, feature_error, hidden_layers
from vaekit.networks.ladder import Ladder, PathUp, Rung
from vaekit.networks.ladder_conv import LadderConvSpec
from vaekit.networks.ladder_mlp import LadderMLPSpec
from vaekit.networks.layers import LayerSpec, Transposed, over_samples, uses_batch_statistics
from vaekit.networks.mlp import MLPSpec
from vaekit.networks.residual_conv import ResidualConvSpec, is_spatial, refuse_spatial

NetworkSpec: TypeAlias = Annotated[
    MLPSpec | ConvSpec | ResidualConvSpec, Field(discriminator="kind")
]
LadderSpec: TypeAlias = Annotated[LadderMLPSpec | LadderConvSpec, Field(discriminator="kind")]

__all__ = [
    "ConvSpec",
    "Discriminator",
    "Features",
    "Ladder",
    "LadderConvSpec",
    "LadderMLPSpec",
    "LadderSpec",
    "LayerSpec",
    "MLPSpec",
    "NetworkSpec",
    "PathUp",
    "ResidualConvSpec",
    "Rung",
    "Transposed",
    "Verdict",
    "feature_error",
    "hidden_layers",
    "is_spatial",
    "over_samples",
    "refuse_spatial",
    "uses_batch_statistics",
]
