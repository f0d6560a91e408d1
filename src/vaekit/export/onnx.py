"""Adding ONNX graphs to an artifact: traced, compared with torch, measured, written.

Nothing is written before every variant has passed. What is compared is what callers get: the verbs
of the artifact in torch against those of the runtime that will serve, on held-out examples.
"""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, Final

from vaekit.artifacts import EXPORTED, PLAIN, Exported, json_bytes, write_artifact
from vaekit.errors import SpecError
from vaekit.export.artifact import Artifact
from vaekit.export.card_onnx import with_variants
from vaekit.export.code_size import code_size
from vaekit.export.graphs import graphs_of
from vaekit.export.int8 import in_int8, refuse_nothing_to_round
from vaekit.export.operators import OPSET
from vaekit.export.parity import (
    FP32_LIMIT,
    INT8_LARGEST_LIMIT,
    INT8_MEAN_LIMIT,
    check_int8,
    check_parity,
)
from vaekit.export.prune import check_share, pruned, pruned_name
from vaekit.export.reference import MOST_EXAMPLES, HeldOut, held_out
from vaekit.export.trace import Traced, for_export, traced
from vaekit.export.variants import Made, compared, made

CODE_EXAMPLES: Final = 1000
FOLDER: Final = "onnx/"
CARD: Final = "card.md"


def export_onnx(
    artifact: Artifact, int8: bool = False, prune: float | None = None, examples: int | None = None
) -> Exported:
    """Writes `onnx/` into an artifact; graphs that are there already are replaced.

    A signature is of what was there before, and goes.

    Args:
        artifact: As `load` gives it, on the CPU.
        int8: Add the variant int8.
        prune: Add a variant without that share of the weights.
        examples: Held-out examples to compare on; by default as many as `reference.json` has.

    Raises:
        SpecError: A choice makes no sense, or the model has no form in ONNX.
        ArtifactError: A variant is further off than it may be; nothing was written.
        DataError: The model's data is not on this machine.
        MissingExtraError: The extra 'onnx' is not installed.
    """
    _check_choices(prune, examples)
    held = held_out(artifact, artifact.dataset, examples or MOST_EXAMPLES)
    plain = Artifact(artifact.serving, for_export(artifact.model), for_export(artifact.transform))
    graphs = _traced(plain)
    first = _checked(PLAIN, graphs, artifact, plain, held, None)
    variants = {PLAIN: first}
    if int8:
        variants["int8"] = _in_int8(graphs, held, first)
    if prune is not None:
        smaller = Artifact(plain.serving, pruned(plain.model, prune), plain.transform)
        name, fewer = pruned_name(prune), _traced(smaller)
        variants[name] = _with(_checked(name, fewer, smaller, smaller, held, first), pruned=prune)
    few, latent = held.first(CODE_EXAMPLES), first.facts.reference.latent
    exported = Exported(
        opset=OPSET,
        versions={name: version(name) for name in ("vaekit", "torch", "onnx", "onnxruntime")},
        split=held.split,
        examples=len(held.x),
        not_exported=_not_exported(graphs),
        variants={name: variant.facts for name, variant in variants.items()},
        code=code_size(artifact, first.runtime, few, latent),
    )
    _write(artifact, exported, variants)
    return exported


def _check_choices(prune: float | None, examples: int | None) -> None:
    if prune is not None:
        check_share(prune)
    if examples is not None and examples < 1:
        raise SpecError(
            "Graphs are compared with torch on held-out examples.",
            where="--examples",
            expected="one or more",
            found=examples,
        )


def _traced(artifact: Artifact) -> dict[str, Traced]:
    graphs = graphs_of(artifact.model, artifact.transform, artifact.serving)
    return {graph.name: traced(graph) for graph in graphs}


def _checked(
    name: str,
    graphs: Mapping[str, Traced],
    ours: Artifact,
    plain: Artifact,
    held: HeldOut,
    first: Made | None,
) -> Made:
    """A variant whose graphs give what `ours` gives."""
    errors = compared(graphs, ours, plain, held)
    for verb, of_outputs in errors.items():
        check_parity(name, verb, of_outputs)
    variant = made(name, ours.serving, graphs, held, errors, first)
    return _with(variant, limits={"relative_error": FP32_LIMIT})


def _in_int8(graphs: Mapping[str, Traced], held: HeldOut, first: Made) -> Made:
    rounded = {verb: in_int8(graph.content) for verb, graph in graphs.items()}
    serving = first.runtime.serving
    refuse_nothing_to_round(sum(matrices for _, matrices in rounded.values()), serving.name)
    kept = {verb: graph._replace(content=rounded[verb][0]) for verb, graph in graphs.items()}
    variant = made("int8", serving, kept, held, {}, first)
    check_int8(variant.facts.score_change, first.scores)
    limits = {"mean_deviations": INT8_MEAN_LIMIT, "largest_deviations": INT8_LARGEST_LIMIT}
    return _with(variant, limits=limits, weights="int8, one scale for each output of a product")


def _with(variant: Made, **facts: Any) -> Made:
    return variant._replace(facts=variant.facts.model_copy(update=facts))


def _not_exported(graphs: Mapping[str, Traced]) -> dict[str, str]:
    if "sample" in graphs:
        return {}
    return {"sample": "a deterministic autoencoder has no prior to sample from"}


def _write(artifact: Artifact, exported: Exported, variants: Mapping[str, Made]) -> None:
    """Everything that is in the artifact but older graphs, and the new ones."""
    folder = artifact.folder
    kept = {name: folder.read(name) for name in folder.digests if not name.startswith(FOLDER)}
    graphs = {name: content for made in variants.values() for name, content in made.files.items()}
    about = {
        EXPORTED: json_bytes(exported.model_dump(mode="json")),
        CARD: with_variants(kept[CARD].decode(), exported).encode(),
    }
    write_artifact(folder.path, {**kept, **graphs, **about})
