"""`onnx/export.json`: the graphs of an artifact, and what was measured of them.

Every graph exists in one or more variants. `fp32` computes what torch computes; another one (fewer
bits, fewer weights) computes something else, and says how far off it is. Thresholds belong to a
variant: each has a reference of its own, in the form of `reference.json`.
"""

from typing import Final, final

from pydantic import Field

from vaekit.artifacts.reference import Reference
from vaekit.artifacts.serving import Port
from vaekit.spec import Spec

EXPORTED: Final = "onnx/export.json"
PLAIN: Final = "fp32"
"""The variant that computes what torch computes."""


@final
class GraphFacts(Spec):
    """One graph of one variant."""

    file: str
    bytes: int
    inputs: dict[str, Port]
    outputs: dict[str, Port]
    parity: dict[str, float] = Field(
        description="By output, the largest relative error against torch with the same weights, "
        "over held-out examples; empty where weights were rounded, which has a `score_change`."
    )
    latency_ms: dict[str, float] = Field(
        description="Median milliseconds per example, on one thread, by batch size."
    )


@final
class ScoreChange(Spec):
    """How one score of a variant differs from that of fp32, over held-out examples."""

    mean: float = Field(description="Mean change; thresholds of the variant have it in them.")
    mean_size: float = Field(description="Mean absolute change.")
    largest: float = Field(description="Largest absolute change.")
    deviations: float = Field(
        description="Mean absolute change, in standard deviations of the score over the examples."
    )


@final
class Variant(Spec):
    """All graphs with one kind of weights."""

    weights: str = Field(description="How weights of matrix products are kept, in words.")
    pruned: float | None = Field(default=None, description="Share of them that was set to zero.")
    limits: dict[str, float] = Field(description="What had to be kept for it to be written.")
    bytes: int = Field(description="Of all graphs together.")
    zipped_bytes: int = Field(description="The same, as `zip` would pack them (deflate, level 9).")
    graphs: dict[str, GraphFacts]
    score_change: dict[str, ScoreChange] = Field(description="Against fp32; empty for fp32.")
    reference: Reference


@final
class CodeSize(Spec):
    """What it takes to keep an example as its code; bytes are means per held-out example."""

    quantisation: str = Field(description="How a number of the code is kept.")
    compressed_bytes: float = Field(description="The code so kept.")
    mse: float = Field(description="Of the reconstruction from the code as it is.")
    mse_from_compressed: float = Field(description="Of that from the code so kept.")
    kl_bytes: float | None = Field(
        description="KL(q || p): what bits-back coding pays for z, to the model's precision."
    )
    bits_back_bytes: float | None = Field(
        description="-ELBO: what bits-back coding pays for the exact values; none where the "
        "likelihood is no probability of whole numbers."
    )
    raw_bytes: float
    zlib_bytes: float = Field(description="The raw values, each example by itself, level 9.")
    png_bytes: float | None = Field(description="As PNG files; none where they are no bytes.")


@final
class Exported(Spec):
    """Everything in `onnx/export.json`."""

    opset: int
    versions: dict[str, str] = Field(description="Of what exported and measured.")
    split: str
    examples: int = Field(description="Held-out examples of that split that were compared.")
    not_exported: dict[str, str] = Field(description="Verbs without a graph, and why.")
    variants: dict[str, Variant]
    code: CodeSize
