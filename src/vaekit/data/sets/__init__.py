"""Data sets: where examples come from. Pick one."""

from typing import Annotated, TypeAlias

from pydantic import Field

from vaekit.data.sets.arrays import ArraysSpec
from vaekit.data.sets.catalogue import DATA_SETS, NamedDataSet
from vaekit.data.sets.digits import DigitsSpec
from vaekit.data.sets.fashion_mnist import FashionMnistSpec
from vaekit.data.sets.frey_faces import FreyFacesSpec
from vaekit.data.sets.images import ImagesSpec
from vaekit.data.sets.mnist import MnistSpec
from vaekit.data.sets.mnist_static import MnistStaticSpec
from vaekit.data.sets.omniglot import OmniglotSpec
from vaekit.data.sets.shards import ShardsSpec
from vaekit.data.sets.sprites import SpritesSpec

DataSpec: TypeAlias = Annotated[
    MnistSpec
    | MnistStaticSpec
    | FashionMnistSpec
    | FreyFacesSpec
    | OmniglotSpec
    | DigitsSpec
    | SpritesSpec
    | ArraysSpec
    | ImagesSpec
    | ShardsSpec,
    Field(discriminator="kind"),
]

__all__ = [
    "DATA_SETS",
    "ArraysSpec",
    "DataSpec",
    "DigitsSpec",
    "FashionMnistSpec",
    "FreyFacesSpec",
    "ImagesSpec",
    "MnistSpec",
    "MnistStaticSpec",
    "NamedDataSet",
    "OmniglotSpec",
    "ShardsSpec",
    "SpritesSpec",
]
