"""Observations: data sets, their splits, the order of batches, and transforms."""

from vaekit.data.batches import Batches
from vaekit.data.checks import checked_rows
from vaekit.data.dataset import Dataset
from vaekit.data.exchange import read_examples
from vaekit.data.factors import Factors
from vaekit.data.files.places import cache_folder, write_whole
from vaekit.data.labeled import hide_labels
from vaekit.data.observation import Observation
from vaekit.data.presentation import present
from vaekit.data.sets import (
    DATA_SETS,
    ArraysSpec,
    DataSpec,
    DigitsSpec,
    FashionMnistSpec,
    FreyFacesSpec,
    ImagesSpec,
    MnistSpec,
    MnistStaticSpec,
    NamedDataSet,
    OmniglotSpec,
    ShardsSpec,
    SpritesSpec,
)
from vaekit.data.sharded import Shard, ShardedSplit
from vaekit.data.splits import InMemorySplit, Rows, Split
from vaekit.data.statistics import MOST_EXAMPLES, Statistics, statistics
from vaekit.data.transforms import (
    BinarizeSpec,
    Dequantize,
    DequantizeSpec,
    GreySpec,
    IntegersSpec,
    StandardizeSpec,
    Transform,
    TransformSpec,
)

__all__ = [
    "DATA_SETS",
    "MOST_EXAMPLES",
    "ArraysSpec",
    "Batches",
    "BinarizeSpec",
    "DataSpec",
    "Dataset",
    "Dequantize",
    "DequantizeSpec",
    "DigitsSpec",
    "Factors",
    "FashionMnistSpec",
    "FreyFacesSpec",
    "GreySpec",
    "ImagesSpec",
    "InMemorySplit",
    "IntegersSpec",
    "MnistSpec",
    "MnistStaticSpec",
    "NamedDataSet",
    "Observation",
    "OmniglotSpec",
    "Rows",
    "Shard",
    "ShardedSplit",
    "ShardsSpec",
    "Split",
    "SpritesSpec",
    "StandardizeSpec",
    "Statistics",
    "Transform",
    "TransformSpec",
    "cache_folder",
    "checked_rows",
    "hide_labels",
    "present",
    "read_examples",
    "statistics",
    "write_whole",
]
