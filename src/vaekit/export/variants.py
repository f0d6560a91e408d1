"""One variant of an artifact's graphs: run, compared with torch, measured."""

import io
import zipfile
from collections.abc import Mapping
from typing import Final, NamedTuple, final

import numpy as np
import torch

from vaekit.artifacts import GraphFacts, Serving, Variant
from vaekit.condition import encoded
from vaekit.export.artifact import Artifact
from vaekit.export.graphs import EncodeGraph
from vaekit.export.latency import BATCHES, median_ms
from vaekit.export.parity import TIES, relative_error, score_changes
from vaekit.export.reference import HeldOut, reference_of
from vaekit.export.trace import Traced
from vaekit.runtime import OnnxRuntime

PARITY_EXAMPLES: Final = 256
PARITY_SAMPLES: Final = 8
SEED: Final = 1
TEMPERATURE: Final = 0.7
"""Not 1, which would not show whether a graph listens to it."""


@final
class Made(NamedTuple):
    """A variant that is ready to be written."""

    facts: Variant
    files: dict[str, bytes]
    runtime: OnnxRuntime
    scores: dict[str, np.ndarray]
    """Of all held-out examples."""


def made(
    name: str,
    serving: Serving,
    graphs: Mapping[str, Traced],
    held: HeldOut,
    errors: Mapping[str, dict[str, float]],
    plain: Made | None,
) -> Made:
    """Measures a variant.

    Args:
        name: What it is called.
        serving: What there is to know of the model.
        graphs: By verb.
        held: What to measure on.
        errors: What a comparison with torch gave, by verb and output.
        plain: The variant that scores are compared with; absent for that one itself.
    """
    runtime = OnnxRuntime(serving, {verb: graph.content for verb, graph in graphs.items()})
    files = {f"onnx/{name}/{verb}.onnx": graph.content for verb, graph in graphs.items()}
    scores = runtime.score(held.x, seed=serving.score_protocol.seed, condition=held.condition)
    latency = _latency(runtime, held)
    facts = Variant(
        weights="float32",
        limits={},
        bytes=sum(map(len, files.values())),
        zipped_bytes=_zipped(files),
        graphs={
            verb: GraphFacts(
                file=file,
                bytes=len(graph.content),
                inputs=graph.inputs,
                outputs=graph.outputs,
                parity=errors.get(verb, {}),
                latency_ms=latency[verb],
            )
            for (verb, graph), file in zip(graphs.items(), files, strict=True)
        },
        score_change={} if plain is None else score_changes(scores, plain.scores),
        reference=reference_of(runtime, held, _posterior_variance(runtime, held), scores),
    )
    return Made(facts, files, runtime, scores)


def compared(
    graphs: Mapping[str, Traced], ours: Artifact, traced: Artifact, held: HeldOut
) -> dict[str, dict[str, float]]:
    """The largest relative error of every output of every graph, against torch.

    Args:
        graphs: By verb.
        ours: What callers get from torch.
        traced: The copy that the graphs were made of, for outputs that no verb gives.
        held: Examples; the first few are used.
    """
    serving, few = ours.serving, held.first(PARITY_EXAMPLES)
    theirs = OnnxRuntime(serving, {verb: graph.content for verb, graph in graphs.items()})
    x, told = few.x, few.condition
    record = theirs.record(x, PARITY_SAMPLES, SEED, told)
    code = ours.encode(x, told)
    scores = ours.score(x, PARITY_SAMPLES, SEED, told)
    both = {
        "encode": (theirs.posterior(x, told), {**_posterior(traced, few), "z": code}),
        "decode": ({"x": theirs.decode(code, told)}, {"x": ours.decode(code, told)}),
        "score": ({**record.scores, "z": record.z}, {**scores, "z": code}),
    }
    if "sample" in graphs:
        drawn = [run.sample(len(x), SEED, TEMPERATURE, told) for run in (theirs, ours)]
        both["sample"] = ({"x": drawn[0]}, {"x": drawn[1]})
    ties = TIES if serving.is_discrete else 0.0
    return {
        verb: {name: relative_error(found[name], expected[name], ties) for name in expected}
        for verb, (found, expected) in both.items()
    }


@torch.no_grad()
def _posterior(artifact: Artifact, few: HeldOut) -> dict[str, np.ndarray]:
    """What the graph gives in torch, for the outputs that the runtime has no verb for."""
    graph = EncodeGraph(artifact.model, artifact.transform, artifact.serving).eval()
    conditions, name = artifact.serving.conditions, artifact.serving.name
    c = encoded(conditions, few.condition, len(few.x), name)
    given = {"x": few.x, "c": c}
    inputs = [torch.from_numpy(np.require(given[port], requirements="W")) for port in graph.names]
    return {output: values.numpy() for output, values in graph(*inputs).items()}


def _posterior_variance(runtime: OnnxRuntime, held: HeldOut) -> tuple[float, ...] | None:
    """Mean variance of q(z | x), all layers side by side, from what the graph says of it."""
    found, variances = runtime.posterior(held.x, held.condition), []
    if not runtime.serving.has_density:
        return None
    for layer in runtime.serving.noise:
        if f"{layer.name}_stddev" in found:
            variance = np.square(found[f"{layer.name}_stddev"].astype(np.float64))
        elif f"{layer.name}_probabilities" in found:
            p = found[f"{layer.name}_probabilities"].astype(np.float64)
            variance = p * (1 - p)
        elif f"{layer.name}_indices" in found:  # a single code: nothing varies
            variance = np.zeros((len(held.x), runtime.serving.latent_dim))
        else:
            return None
        variances.append(variance.reshape(len(variance), -1).mean(0))
    return tuple(np.concatenate(variances).tolist())


def _latency(runtime: OnnxRuntime, held: HeldOut) -> dict[str, dict[str, float]]:
    """By verb and batch size: the verb as a caller has it, with its checks and its noise."""
    rows = np.resize(np.arange(len(held.x)), max(BATCHES))
    x, told = held.x[rows], held.condition
    told = None if told is None else {name: values[rows] for name, values in told.items()}
    z = runtime.encode(x, told)

    def few(n: int) -> dict[str, np.ndarray] | None:
        return None if told is None else {name: values[:n] for name, values in told.items()}

    verbs = {
        "encode": lambda n: runtime.encode(x[:n], few(n)),
        "decode": lambda n: runtime.decode(z[:n], few(n)),
        "score": lambda n: runtime.score(x[:n], condition=few(n)),
        "sample": lambda n: runtime.sample(n, condition=few(n)),
    }
    return {
        verb: {str(n): median_ms(run, n) for n in BATCHES}
        for verb, run in verbs.items()
        if verb in runtime.graphs
    }


def _zipped(files: Mapping[str, bytes]) -> int:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, 9)
    return len(target.getvalue())
