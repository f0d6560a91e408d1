"""Transforms: what the likelihood scores, made of raw values. Pick one."""

from typing import Annotated, TypeAlias

from pydantic import Field

from vaekit.data.transforms.binarize import (
    BinarizeSpec,
    DynamicBinarize,
    StaticBinarize,
    ThresholdBinarize,
)
from vaekit.data.transforms.dequantize import Dequantize, DequantizeSpec
from vaekit.data.transforms.grey import Grey, GreySpec
from vaekit.data.transforms.integers import Integers, IntegersSpec
from vaekit.data.transforms.standardize import Standardize, StandardizeSpec
from vaekit.data.transforms.transform import Transform

TransformSpec: TypeAlias = Annotated[
    BinarizeSpec | GreySpec | StandardizeSpec | IntegersSpec | DequantizeSpec,
    Field(discriminator="kind"),
]

__all__ = [
    "BinarizeSpec",
    "Dequantize",
    "DequantizeSpec",
    "DynamicBinarize",
    "Grey",
    "GreySpec",
    "Integers",
    "IntegersSpec",
    "Standardize",
    "StandardizeSpec",
    "StaticBinarize",
    "ThresholdBinarize",
    "Transform",
    "TransformSpec",
]
