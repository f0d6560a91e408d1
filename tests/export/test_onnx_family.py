"""Every model of the family has graphs that give what torch gives."""

from pathlib import Path

import jaxtyping
import pytest
from export.test_roundtrip import before
from export.trained_models import DIGITS, digits, table, trained
from pydantic import TypeAdapter

from vaekit.data import Dataset
from vaekit.export import Artifact, latency
from vaekit.export.graphs import graphs_of
from vaekit.export.int8 import in_int8
from vaekit.export.parity import FP32_LIMIT
from vaekit.export.reference import held_out, held_out_reference
from vaekit.export.trace import for_export, traced
from vaekit.export.variants import compared, made
from vaekit.models import ModelSpec
from vaekit.posteriors import PosteriorSpec
from vaekit.priors import CodePriorSpec, PriorSpec
from vaekit.recipes import load_recipe
from vaekit.runtime import OnnxRuntime

SMALL = ("model.encoder.hidden=[8]", "model.decoder.hidden=[8]", "model.latent_dim=4")
BERNOULLI = ("transform.kind=binarize", "model.likelihood.kind=bernoulli", *SMALL)
CONDITIONAL = ("transform.condition=['label']", *BERNOULLI)
VQ = (*DIGITS["vq"], "transform.kind=binarize", "model.likelihood.kind=bernoulli")
PARTS: dict[str, tuple[str, ...]] = {
    "laplace": ("model.prior.kind=laplace", *BERNOULLI),
    "spike_and_slab": ("model.prior.kind=spike_and_slab", *BERNOULLI),
    "vamp": ("model.prior.kind=vamp", "model.prior.components=6", *BERNOULLI),
    "conditional": CONDITIONAL,
    "conditional_gaussian": ("model.prior.kind=conditional_gaussian", *CONDITIONAL),
    "deep mixture": (
        "model.kind=hierarchical_vae",
        "model.latent_dims=[4, 3]",
        "model.prior.kind=mixture",
        "model.prior.components=5",
        *BERNOULLI[:2],
    ),
    "uniform codes": (*VQ[:-3], "model.code_prior={kind='uniform'}", *VQ[-2:]),
    "levels": ("model.likelihood={kind='categorical', levels=17}", *SMALL),
    "scale per value": (
        "transform.kind=dequantize",
        "model.likelihood={kind='gaussian', scale='per_value', unit_mean=true}",
        *SMALL,
    ),
    "optimal scale": (
        "transform.kind=standardize",
        "model.likelihood={kind='gaussian', scale='optimal'}",
        *SMALL,
    ),
    "residual": ("model.encoder.kind=residual_conv", "model.decoder.kind=residual_conv", SMALL[-1]),
}


def check(artifact: Artifact, monkeypatch: pytest.MonkeyPatch, dataset: Dataset) -> None:
    """Exports, runs and compares all graphs of a model, on held-out examples."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    plain = Artifact(artifact.serving, for_export(artifact.model), for_export(artifact.transform))
    graphs = graphs_of(plain.model, plain.transform, plain.serving)
    found = {graph.name: traced(graph) for graph in graphs}
    assert ("sample" in found) == artifact.serving.has_density
    held = held_out(artifact, dataset, most=48)
    errors = compared(found, artifact, plain, held)
    for verb, graph in found.items():
        assert set(errors[verb]) == set(graph.outputs)
        for output, error in errors[verb].items():
            assert error <= FP32_LIMIT, (verb, output, error)
    assert set(artifact.serving.scores) < set(found["score"].outputs)
    monkeypatch.setattr(latency, "SECONDS", 0.0)
    ours = held_out_reference(artifact, dataset).latent.posterior_variance
    theirs = made("fp32", artifact.serving, found, held, errors, None).facts.reference
    variance = theirs.latent.posterior_variance
    assert (variance is None) == (ours is None)
    assert ours is None or len(variance or ()) == len(ours)
    for graph in found.values():  # rounded weights are a graph that runs, too
        OnnxRuntime(artifact.serving, {"score": in_int8(graph.content)[0]})


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=[] if kind == "full_covariance" else pytest.mark.slow)
        for kind in DIGITS
    ],
)
def test_digits(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = digits(kind)
    check(before(model), monkeypatch, model.dataset)


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_parts(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = trained(load_recipe("digits", list(PARTS[part])))
    check(before(model), monkeypatch, model.dataset)


@pytest.mark.slow
def test_a_table_with_gaps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = table(tmp_path)
    check(before(model), monkeypatch, model.dataset)


def test_every_kind_is_walked() -> None:
    """A new kind of model, prior or posterior asks for a line above."""
    walked = " ".join(
        setting for settings in (*DIGITS.values(), *PARTS.values()) for setting in settings
    )
    defaults = {"vae", "standard_normal", "diagonal_gaussian", "autoregressive"}
    for union in (ModelSpec, PriorSpec, PosteriorSpec, CodePriorSpec):
        kinds = TypeAdapter(union).json_schema()["discriminator"]["mapping"]
        assert [
            kind
            for kind in kinds
            if kind not in defaults and f"={kind}" not in walked.replace("'", "")
        ] == []
