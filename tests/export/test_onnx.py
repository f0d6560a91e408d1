"""Exporting to ONNX: what is written, what is refused, and that a refusal writes nothing."""

import math
import sys
from pathlib import Path
from typing import Any

import jaxtyping
import numpy as np
import pytest
import torch
from artifacts.tampering import V1, V1_ONNX, copied
from torch import Tensor, nn
from torch.nn.functional import logsigmoid, scaled_dot_product_attention

from vaekit.artifacts import Exported, open_artifact
from vaekit.errors import ArtifactError, MissingExtraError, SpecError
from vaekit.export import Artifact, export_onnx, load, onnx
from vaekit.export.graphs import graphs_of
from vaekit.export.int8 import in_int8, refuse_nothing_to_round
from vaekit.export.operators import OPSET, translations
from vaekit.export.parity import FP32_LIMIT, check_int8, relative_error, score_changes
from vaekit.export.prune import pruned, pruned_name
from vaekit.export.reference import held_out
from vaekit.export.trace import for_export, quiet, traced
from vaekit.priors.autoregressive_codes import MaskedLinear
from vaekit.runtime import open_runtime

pytest.importorskip("onnxscript")
import onnx as onnx_format


class Exports:
    """An artifact whose graphs were traced once, for tests that only measure or write."""

    def __init__(self, folder: Path) -> None:
        self.folder = copied(folder)
        artifact = load(self.folder)
        plain = Artifact(
            artifact.serving, for_export(artifact.model), for_export(artifact.transform)
        )
        graphs = graphs_of(plain.model, plain.transform, plain.serving)
        self.graphs = {graph.name: traced(graph) for graph in graphs}


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Exports:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # as `unchecked_shapes` does
        return Exports(tmp_path_factory.mktemp("exports") / "artifact")


@pytest.fixture
def artifact(exports: Exports, monkeypatch: pytest.MonkeyPatch) -> Artifact:
    """What was traced, with its graphs at hand, and quick to time."""
    monkeypatch.setattr(onnx, "_traced", lambda _: exports.graphs)
    monkeypatch.setattr("vaekit.export.latency.SECONDS", 0.0)
    return load(exports.folder)


def test_an_exported_artifact_is_whole_and_runs(artifact: Artifact, tmp_path: Path) -> None:
    before = {name: artifact.folder.read(name) for name in artifact.folder.digests}
    (artifact.path / "SHA256SUMS.sig").write_bytes(b"of the old content")
    exported = export_onnx(artifact, int8=True, examples=100)
    folder = open_artifact(artifact.path)
    assert folder.exported == exported
    assert not (artifact.path / "SHA256SUMS.sig").exists()
    kept = {name: content for name, content in before.items() if "/" not in name}
    card = kept.pop("card.md").decode()
    assert all(folder.read(name) == content for name, content in kept.items())
    told = folder.read("card.md").decode()
    head, _, rest = told.partition("## ONNX\n")
    section, _, tail = rest.partition("## Files")
    assert head + "## Files" + tail == card
    limit = exported.variants["int8"].reference.scores["elbo_nats"].quantiles["0.01"]
    assert "| int8 | int8, one scale for each output of a product | " in section
    assert f"| {limit:.5g} |" in section
    assert set(exported.variants) == {"fp32", "int8"}
    listed = {graph.file for v in exported.variants.values() for graph in v.graphs.values()}
    assert listed | {"onnx/export.json"} == {n for n in folder.digests if n.startswith("onnx/")}
    x = artifact.dataset.split("test").rows(0, 4).x.numpy()
    scores = open_runtime(artifact.path).score(x, 3)
    for name, values in load(artifact.path).score(x, 3).items():
        assert np.allclose(scores[name], values, rtol=1e-5)
    # The next export keeps what is asked for, and nothing else.
    again = export_onnx(load(artifact.path), examples=5)
    assert set(again.variants) == {"fp32"}
    assert not any("int8" in name for name in open_artifact(artifact.path).digests)
    told = open_artifact(artifact.path).read("card.md").decode()
    assert told.count("## ONNX") == 1
    assert "| int8 |" not in told


def test_what_is_written_down(exports: Exports) -> None:
    exported = open_artifact(V1_ONNX).exported
    assert exported is not None
    assert (exported.opset, exported.not_exported) == (OPSET, {})
    assert {"vaekit", "torch", "onnx", "onnxruntime"} == set(exported.versions)
    for name, variant in exported.variants.items():
        assert variant.zipped_bytes < variant.bytes
        for verb, graph in variant.graphs.items():
            assert set(graph.latency_ms) == {"1", "64"}
            assert min(graph.latency_ms.values()) > 0
            assert graph.outputs == exports.graphs[verb].outputs
            if name != "int8":
                assert set(graph.parity) == set(graph.outputs)
                assert max(graph.parity.values()) <= FP32_LIMIT
    plain, rounded, fewer = (exported.variants[n] for n in ("fp32", "int8", "pruned50"))
    assert plain.graphs["score"].inputs["noise_z"].shape == ("samples", 1, 2)
    assert plain.graphs["score"].inputs["x"].dtype == "uint8"
    assert rounded.bytes < plain.bytes
    assert fewer.bytes == pytest.approx(plain.bytes, rel=0.01)  # zeros take as much room
    assert fewer.zipped_bytes < 0.9 * plain.zipped_bytes
    assert rounded.score_change["elbo_nats"].deviations < 0.1
    assert abs(fewer.score_change["elbo_nats"].mean) > abs(rounded.score_change["elbo_nats"].mean)
    quantiles = [v.reference.scores["elbo_nats"].quantiles["0.5"] for v in (plain, rounded, fewer)]
    assert len(set(quantiles)) == 3
    artifact = load(V1_ONNX)
    held = held_out(artifact, artifact.dataset)
    for name, variant in exported.variants.items():  # and each is what its own graphs give
        runtime = open_runtime(V1_ONNX, variant=name)
        scores, reference = runtime.score(held.x), variant.reference
        for quantity, known in reference.scores.items():
            found = np.quantile(scores[quantity], [0.01, 0.99])
            stored = [known.quantiles[level] for level in ("0.01", "0.99")]
            np.testing.assert_allclose(found, stored, rtol=1e-5, err_msg=f"{name} {quantity}")
        np.testing.assert_allclose(runtime.encode(held.x).mean(0), reference.latent.mean, atol=1e-5)


def test_the_code_is_a_compressor() -> None:
    """Of 64 values from 0 to 16: everything is counted in bytes per example."""
    exported = open_artifact(V1_ONNX).exported
    assert exported is not None
    code = exported.code
    assert code.compressed_bytes == 2  # two dimensions, 8 bits each
    assert code.raw_bytes == 64
    assert code.zlib_bytes < 64 < (code.png_bytes or 0)
    assert code.mse_from_compressed == pytest.approx(code.mse, rel=0.02)
    scores = exported.variants["fp32"].reference.scores
    assert code.kl_bytes == pytest.approx(scores["kl_nats"].mean / math.log(256), rel=1e-6)
    assert code.bits_back_bytes == pytest.approx(
        -scores["elbo_nats"].mean / math.log(256), rel=1e-6
    )


@pytest.mark.usefixtures("unchecked_shapes")
def test_the_same_graph_gives_the_same_bytes(exports: Exports) -> None:
    plain = load(V1 / "artifact")
    graph = graphs_of(for_export(plain.model), for_export(plain.transform), plain.serving)[0]
    again = traced(graph)
    assert again == exports.graphs["encode"]
    assert b"site-packages" not in again.content
    assert str(Path(__file__).parents[2]).encode() not in again.content


def test_a_graph_of_other_weights_is_refused_and_nothing_is_written(artifact: Artifact) -> None:
    sums = (artifact.path / "SHA256SUMS").read_bytes()
    with torch.no_grad():
        next(artifact.model.parameters()).mul_(1.01)
    with pytest.raises(ArtifactError) as raised:
        export_onnx(artifact, examples=20)
    told = str(raised.value)
    for part in ("'encode'", "variant fp32, output z", "at most 0.0001", "do:"):
        assert part in told
    assert (artifact.path / "SHA256SUMS").read_bytes() == sums


def test_int8_that_changes_scores_is_refused(
    artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    sums = (artifact.path / "SHA256SUMS").read_bytes()
    monkeypatch.setattr("vaekit.export.parity.INT8_MEAN_LIMIT", 1e-6)
    with pytest.raises(ArtifactError, match=r"int8, output elbo_nats[\s\S]*do: +leave --int8 out"):
        export_onnx(artifact, int8=True, examples=20)
    assert (artifact.path / "SHA256SUMS").read_bytes() == sums


def test_what_has_no_form_in_onnx_is_refused(
    exports: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise torch.onnx.errors.OnnxExporterError("step 3/3") from ValueError("no such operator")

    monkeypatch.setattr(torch.onnx, "export", fails)
    sums = (exports.folder / "SHA256SUMS").read_bytes()
    with pytest.raises(SpecError, match=r"'encode'[\s\S]*ValueError: no such operator[\s\S]*do:"):
        export_onnx(load(exports.folder), examples=5)
    assert (exports.folder / "SHA256SUMS").read_bytes() == sums


@pytest.mark.parametrize(
    ("choices", "told"),
    [
        ({"prune": 0.0}, "between 0 and 1"),
        ({"prune": 1.0}, "between 0 and 1"),
        ({"prune": math.nan}, "between 0 and 1"),
        ({"examples": 0}, "one or more"),
    ],
)
def test_choices_that_make_no_sense(artifact: Artifact, choices: dict[str, Any], told: str) -> None:
    with pytest.raises(SpecError, match=told):
        export_onnx(artifact, **choices)


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'vaekit\[onnx\]'"):
        translations()


def test_int8_rounds_weights_of_products_and_nothing_else(exports: Exports) -> None:
    rounded, matrices = in_int8(exports.graphs["score"].content)
    model = onnx_format.load_model_from_string(rounded)
    before = onnx_format.load_model_from_string(exports.graphs["score"].content)
    kinds = [node.op_type for node in model.graph.node]
    assert kinds.count("DequantizeLinear") == matrices > 0
    assert not {"DynamicQuantizeLinear", "QuantizeLinear", "MatMulInteger"} & set(kinds)
    theirs = {t.name: onnx_format.numpy_helper.to_array(t) for t in model.graph.initializer}
    ours = {t.name: onnx_format.numpy_helper.to_array(t) for t in before.graph.initializer}
    for node in model.graph.node:
        if node.op_type != "DequantizeLinear":
            continue
        q, scale = (theirs[name] for name in node.input)
        name, _, axis = node.output[0].partition("_from_int8_")
        assert name not in theirs  # it is not kept twice
        assert q.dtype == np.int8
        restored = q * np.expand_dims(scale, 1 - int(axis))
        error = np.abs(restored - ours[name]).max(1 - int(axis))
        assert (error <= scale / 2 + 1e-7).all()
    kept = [name for name in ours if name in theirs]
    assert all(np.array_equal(ours[name], theirs[name]) for name in kept)
    with pytest.raises(SpecError, match=r"nothing in this model[\s\S]*leave --int8 out"):
        refuse_nothing_to_round(0, "small")


@pytest.mark.usefixtures("unchecked_shapes")
def test_pruning_takes_the_smallest_weights_of_all_layers() -> None:
    model = for_export(load(V1 / "artifact").model)
    smaller = pruned(model, 0.3)

    def weights(of: nn.Module) -> Tensor:
        return torch.cat([m.weight.flatten() for m in of.modules() if isinstance(m, nn.Linear)])

    before, after = weights(model), weights(smaller)
    gone = after == 0
    assert int(gone.sum()) == round(0.3 * len(before))
    assert before[gone].abs().max() <= before[~gone].abs().min()
    assert torch.equal(before[~gone], after[~gone])
    assert pruned_name(0.3) == "pruned30"
    with pytest.raises(SpecError, match="nothing in this model to prune"):
        pruned(nn.Conv2d(1, 1, 1), 0.3)  # pyright: ignore[reportArgumentType]


def test_masked_weights_become_plain_ones() -> None:
    mask = torch.tensor([[True, False], [False, True]])
    masked = MaskedLinear(mask)
    model = nn.Sequential(masked, nn.ReLU())
    plain = for_export(model)
    layer = plain[0]
    assert type(layer) is nn.Linear
    assert torch.equal(layer.weight, masked.weight * mask)
    x = torch.randn(3, 2)
    assert torch.equal(plain(x), model(x))


class EveryOperator(nn.Module):
    """What ONNX has no operator for."""

    def forward(self, x: Tensor, q: Tensor) -> tuple[Tensor, ...]:
        return (
            logsigmoid(x),
            torch.log1p(x.abs()),
            torch.expm1(x.clamp_max(60.0)),
            torch.logaddexp(x, -2 * x),
            scaled_dot_product_attention(q, 2 * q, q - 1),
        )


@pytest.mark.usefixtures("unchecked_shapes")
def test_operators_keep_their_digits() -> None:
    """From 1e-30 to 1e4, on both sides of zero: as torch has it in float64."""
    import onnxruntime

    size = torch.logspace(-30, 4, 400)
    x = torch.cat([-size, torch.zeros(1), size])
    q = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(0))
    with quiet():
        program = torch.onnx.export(
            EveryOperator().eval(),
            (x, q),
            dynamo=True,
            opset_version=OPSET,
            custom_translation_table=translations(),
            verbose=False,
        )
    assert program is not None
    content = program.model_proto.SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    names = [given.name for given in session.get_inputs()]
    found = session.run(None, dict(zip(names, (x.numpy(), q.numpy()), strict=True)))
    # Relative, down to where float32 has no small numbers; log of 1 is 0 within its rounding. What
    # attention mixes is of size one, and where that cancels, its digits go with it.
    floors = [1e-37] * 4 + [1e-6]
    expected = EveryOperator()(x.double(), q.double())
    for values, exact, floor in zip(found, expected, floors, strict=True):
        assert np.allclose(np.asarray(values), exact.numpy(), rtol=2e-6, atol=floor)


def test_relative_error() -> None:
    ours = np.array([[100.0, 0.0], [1.0, -50.0]])
    assert relative_error(ours, ours) == 0
    size = math.sqrt((100**2 + 1 + 50**2) / 4)
    assert relative_error(ours + np.array([[0, 0.1], [0, 0]]), ours) == pytest.approx(0.1 / size)
    assert relative_error(ours + np.array([[1, 0], [0, 0]]), ours) == pytest.approx(0.01)
    assert relative_error(np.full((2, 2), np.nan), ours) == math.inf
    infinite = np.array([-np.inf, 1.0])
    assert relative_error(infinite, infinite) == 0
    assert relative_error(np.array([-np.inf, 1.1]), infinite) == pytest.approx(0.1)
    many = np.ones(200)
    flipped = many + (np.arange(200) == 7)
    assert relative_error(flipped, many) == pytest.approx(1.0)
    assert relative_error(flipped, many, ties=0.01) == 0


def test_changes_of_scores_are_in_their_own_deviations() -> None:
    before = {"elbo_nats": np.array([0.0, 2.0, 4.0, np.inf])}
    after = {"elbo_nats": np.array([0.0, 2.0, 4.3, 1.0])}
    change = score_changes(after, before)["elbo_nats"]
    assert change.mean == pytest.approx(0.1)
    assert change.largest == pytest.approx(0.3)
    assert change.deviations == pytest.approx(0.1 / math.sqrt(8 / 3))
    check_int8({"elbo_nats": change}, before)
    with pytest.raises(ArtifactError, match=r"a mean change of at most 0.1 standard dev"):
        check_int8({"elbo_nats": change.model_copy(update={"deviations": 0.2})}, before)
    with pytest.raises(ArtifactError, match=r"a largest change of at most 1 standard dev"):
        check_int8({"elbo_nats": change.model_copy(update={"largest": 3.0})}, before)


def test_a_description_survives_a_round_trip() -> None:
    exported = open_artifact(V1_ONNX).exported
    assert exported is not None
    assert Exported.model_validate_json(exported.model_dump_json()) == exported
