"""Writing an artifact."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from safetensors.torch import save
from torch import Tensor

from vaekit.artifacts import Document, json_bytes, write_artifact
from vaekit.data import DATA_SETS, Dataset, Transform
from vaekit.export.artifact import Artifact
from vaekit.export.card import card
from vaekit.export.examples import held_out_examples
from vaekit.export.reference import held_out_reference
from vaekit.export.serving import describe
from vaekit.models import Model


@final
@dataclass(frozen=True)
class Trained:
    """What a run ended with.

    Args:
        recipe: The resolved recipe, as JSON would have it.
        model: With the weights that are kept.
        transform: Fitted, on the model's device.
        dataset: What it was trained on.
        results: What it was measured at; empty if it was not.
        provenance: Versions, git state, and the machine.
    """

    recipe: Mapping[str, Any]
    model: Model
    transform: Transform
    dataset: Dataset
    results: Mapping[str, Any]
    provenance: Mapping[str, Any]


def export(path: Path | str, trained: Trained) -> Path:
    """Writes the artifact of a trained model, whole or not at all.

    The same model gives the same bytes. An artifact that is there already is replaced.

    Args:
        path: Folder of the artifact.
        trained: What goes into it.

    Raises:
        ArtifactError: Something else is there, or nothing can be written.
    """
    recipe, dataset = dict(trained.recipe), trained.dataset
    results = {name: value for name, value in trained.results.items() if _is_json(value)}
    serving = describe(recipe, dataset.schema, trained.model, trained.transform)
    artifact = Artifact(serving, trained.model, trained.transform)
    data = _data_document(recipe, dataset)
    reference = held_out_reference(artifact, dataset)
    examples = held_out_examples(artifact, dataset, recipe["data"]["kind"])
    documents = {
        "recipe.json": recipe,
        "serving.json": serving.model_dump(mode="json", by_alias=True),
        "reference.json": reference.model_dump(mode="json"),
        "metrics.json": results,
        "data.json": data,
        "provenance.json": trained.provenance,
    }
    return write_artifact(
        Path(path).expanduser(),
        {
            "model.safetensors": _tensors(trained.model, trained.transform),
            **{name: json_bytes(document) for name, document in documents.items()},
            "card.md": card(serving, recipe, data, results, trained.provenance).encode(),
            **({} if examples is None else {"examples.safetensors": examples.to_bytes()}),
        },
    )


def _is_json(value: object) -> bool:
    """Whether a result can be written: JSON knows neither NaN nor infinity."""
    return not isinstance(value, float) or math.isfinite(value)


def _tensors(model: Model, transform: Transform) -> bytes:
    tensors: dict[str, Tensor] = {
        f"{prefix}.{name}": tensor.detach().cpu().clone().contiguous()
        for prefix, module in (("model", model), ("transform", transform))
        for name, tensor in module.state_dict().items()
    }
    return save(tensors, metadata={"format": "pt"})


def _data_document(recipe: Document, dataset: Dataset) -> Document:
    known = DATA_SETS.get(recipe["data"]["kind"])
    return {
        "name": dataset.name,
        "source": dataset.source,
        "licence": None if known is None else known.licence,
        "schema": dataset.schema.model_dump(mode="json"),
        "splits": {name: len(split) for name, split in dataset.splits.items()},
        "split_name": dataset.split_name,
        "fingerprint": dataset.fingerprint,
    }
