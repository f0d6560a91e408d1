"""Networks: tensors in, tensors out. Pick one for the encoder and one for the decoder."""

from typing import Annotated, TypeAlias

from pydantic import Field

from vaekit.networks.conv import ConvSpec
from vaekit.networks.layers import LayerSpec, over_samples, uses_batch_statistics
from vaekit.networks.mlp import MLPSpec
from vaekit.networks.residual_conv import ResidualConvSpec

NetworkSpec: TypeAlias = Annotated[
    MLPSpec | ConvSpec | ResidualConvSpec, Field(discriminator="kind")
]

__all__ = [
    "ConvSpec",
    "LayerSpec",
    "MLPSpec",
    "NetworkSpec",
    "ResidualConvSpec",
    "over_samples",
    "uses_batch_statistics",
]
