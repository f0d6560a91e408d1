"""A trained model as one folder: layout, checks, format versions, signatures. No torch."""

from vaekit.artifacts.contents import REQUIRED, SIGNATURE, SUMS, Document, json_bytes
from vaekit.artifacts.examples import Examples
from vaekit.artifacts.exported import (
    EXPORTED,
    PLAIN,
    CodeSize,
    Exported,
    GraphFacts,
    ScoreChange,
    Variant,
)
from vaekit.artifacts.folder import ArtifactFolder, open_artifact, sign
from vaekit.artifacts.reference import (
    Histogram,
    LatentMoments,
    Reference,
    ScoreDistribution,
)
from vaekit.artifacts.serving import (
    FORMAT_VERSION,
    NoiseShape,
    Port,
    ScoreProtocol,
    Serving,
    TransformFacts,
)
from vaekit.artifacts.signature import KEY_VARIABLE, make_key_pair
from vaekit.artifacts.writing import write_artifact, write_file

__all__ = [
    "EXPORTED",
    "FORMAT_VERSION",
    "KEY_VARIABLE",
    "PLAIN",
    "REQUIRED",
    "SIGNATURE",
    "SUMS",
    "ArtifactFolder",
    "CodeSize",
    "Document",
    "Examples",
    "Exported",
    "GraphFacts",
    "Histogram",
    "LatentMoments",
    "NoiseShape",
    "Port",
    "Reference",
    "ScoreChange",
    "ScoreDistribution",
    "ScoreProtocol",
    "Serving",
    "TransformFacts",
    "Variant",
    "json_bytes",
    "make_key_pair",
    "open_artifact",
    "sign",
    "write_artifact",
    "write_file",
]
