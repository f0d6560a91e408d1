"""What lies in an artifact, by name.

model.safetensors   weights of the model, buffers of the transform
recipe.json         the resolved recipe
serving.json        what a server must know
reference.json      scores and codes of held-out examples
metrics.json        what the model was measured at, with the protocol
data.json           what it was trained on
provenance.json     versions, git state
card.md             all of this for people
examples.safetensors  some held-out examples, where the data may be passed on
onnx/               graphs, where the model was exported to ONNX, and export.json, about them
SHA256SUMS          hashes of all of these, as `sha256sum --check` reads them
SHA256SUMS.sig      an Ed25519 signature of SHA256SUMS, where one was made
"""

import json
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

WEIGHTS: Final = "model.safetensors"
RECIPE: Final = "recipe.json"
SERVING: Final = "serving.json"
REFERENCE: Final = "reference.json"
METRICS: Final = "metrics.json"
DATA: Final = "data.json"
PROVENANCE: Final = "provenance.json"
CARD: Final = "card.md"
EXAMPLES: Final = "examples.safetensors"
SUMS: Final = "SHA256SUMS"
SIGNATURE: Final = "SHA256SUMS.sig"

REQUIRED: Final = (WEIGHTS, RECIPE, SERVING, REFERENCE, METRICS, DATA, PROVENANCE, CARD)
"""Files that every artifact of this format has."""

Document: TypeAlias = dict[str, Any]


def json_bytes(document: Mapping[str, Any]) -> bytes:
    """A document as it is written: the same content, the same bytes."""
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode()
