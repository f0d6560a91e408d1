"""The runtime without torch gives what torch gives, and says what it cannot do."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from artifacts.tampering import V1, V1_ONNX, rewrite

from vaekit.errors import ArtifactError, MissingExtraError, SpecError
from vaekit.export import Artifact, load
from vaekit.runtime import Draws, OnnxRuntime, open_runtime, runtime
from vaekit.runtime.scores import ScoreSums

ALONE = """
import json, sys
import numpy as np
from vaekit.runtime import open_runtime
model = open_runtime(sys.argv[1])
x = np.load(sys.argv[2])["x"]
scores = model.score(x, num_samples=20, seed=3)
model.decode(model.encode(x)), model.sample(2), model.interpolate(x[:1], x[1:2])
print(json.dumps({"elbo_nats": scores["elbo_nats"].tolist(), "torch": "torch" in sys.modules}))
"""


@pytest.fixture(scope="module")
def plain() -> OnnxRuntime:
    return open_runtime(V1_ONNX)


@pytest.fixture(scope="module")
def ours() -> Artifact:
    return load(V1_ONNX)


@pytest.fixture(scope="module")
def x(ours: Artifact) -> np.ndarray:
    return ours.dataset.split("test").rows(0, 11).x.numpy()


def test_no_torch_is_imported() -> None:
    """In a process of its own, where nothing else could have imported it."""
    command = [sys.executable, "-c", ALONE, str(V1_ONNX), str(V1 / "expected.npz")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["torch"] is False
    with np.load(V1 / "expected.npz") as expected:
        # Numbers of torch, on the machine that made them.
        assert np.allclose(told["elbo_nats"], expected["elbo_nats"], rtol=1e-4, atol=1e-4)


def test_every_verb_gives_what_torch_gives(
    plain: OnnxRuntime, ours: Artifact, x: np.ndarray
) -> None:
    z = ours.encode(x)
    both = [
        {
            "z": model.encode(x),
            "decoded": model.decode(z),
            "reconstructed": model.reconstruct(x),
            "sampled": model.sample(5, seed=2),
            "cooler": model.sample(5, seed=2, temperature=0.5),
            "coldest": model.sample(2, seed=2, temperature=0.0),
            "lines": model.interpolate(x[:2], x[2:4], steps=3),
            "walks": model.traverse(steps=3),
            **model.score(x, 7, seed=1),
            "one sample": model.score(x, 1)["log_likelihood_nats"],
            "default": model.score(x[:2])["elbo_nats"],
        }
        for model in (plain, ours)
    ]
    for name, values in both[1].items():
        found = both[0][name]
        assert found.shape == values.shape, name
        # float32 in both, added up in another order.
        assert np.allclose(found, values, rtol=1e-5, atol=1e-5), name
    assert list(plain.score(x, 1)) == list(ours.score(x, 1))
    assert plain.score(x, 1)["elbo_nats"].dtype == np.float64


@pytest.mark.parametrize("variant", ["fp32", "int8"])
@pytest.mark.parametrize("rows", [1, 2, 7])
def test_neighbours_and_chunks_change_nothing(
    variant: str, rows: int, x: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = open_runtime(V1_ONNX, variant=variant)

    def answers(x: np.ndarray) -> dict[str, np.ndarray]:
        return {"z": model.encode(x), "x": model.reconstruct(x), **model.score(x, 9, seed=2)}

    whole, alone, backwards = answers(x), answers(x[3:4]), answers(x[::-1])
    loud = answers(np.stack([x[3], *np.full((5, *x.shape[1:]), 16, np.uint8)]))
    monkeypatch.setattr(runtime, "ROWS_AT_A_TIME", rows)
    chunked = answers(x)  # blocks of samples too, which have to add up
    for name, values in whole.items():
        for found in (alone[name][0], backwards[name][-4], chunked[name][3], loud[name][0]):
            assert np.allclose(found, values[3], rtol=1e-5, atol=1e-5), name


def test_a_record_is_scores_and_code_from_one_call(plain: OnnxRuntime, x: np.ndarray) -> None:
    record, scores = plain.record(x, 5, seed=1), plain.score(x, 5, seed=1)
    assert all(np.array_equal(record.scores[name], scores[name]) for name in scores)
    assert set(record.scores) == set(plain.serving.scores)
    assert np.allclose(record.z, plain.encode(x), atol=1e-6)


def test_the_posterior_is_what_the_model_has(
    plain: OnnxRuntime, ours: Artifact, x: np.ndarray
) -> None:
    found = plain.posterior(x)
    assert set(found) == {"z", "z_mean", "z_stddev"}
    assert np.array_equal(found["z"], found["z_mean"])
    (q,) = ours.model.infer_at_mean(ours.observation(x)).posterior
    assert np.allclose(found["z_stddev"], q.stddev.detach().numpy(), rtol=1e-5)
    variances = [
        np.asarray(reference.latent.posterior_variance)
        for reference in (plain.reference, ours.reference)
    ]
    assert np.allclose(*variances, rtol=1e-5)


def test_no_examples_are_no_answers(plain: OnnxRuntime, x: np.ndarray) -> None:
    assert plain.encode(x[:0]).shape == (0, 2)
    assert plain.reconstruct(x[:0]).shape == (0, *x.shape[1:])
    assert all(values.shape == (0,) for values in plain.score(x[:0], 3).values())


def test_a_row_that_stands_for_several_samples_counts_as_many() -> None:
    rng = np.random.default_rng(0)
    fit, weights, kl = rng.normal(size=(6, 4)), rng.normal(size=(6, 4)), rng.normal(size=4)
    one, blocks = ScoreSums(), ScoreSums()
    one.add(Draws(fit, weights, kl))
    for rows in (slice(0, 4), slice(4, 6)):
        n = len(fit[rows])
        mean = np.logaddexp.reduce(weights[rows], axis=0) - np.log(n)
        blocks.add(Draws(fit[rows].mean(0)[None], mean[None], kl, each=n))
    for name, values in one.scores().items():
        assert np.allclose(blocks.scores()[name], values), name


def test_what_is_known_of_a_variant(plain: OnnxRuntime) -> None:
    rounded = open_runtime(V1_ONNX, variant="int8")
    assert (plain.variant, rounded.variant) == ("fp32", "int8")
    assert plain.path == V1_ONNX
    assert plain.graphs == ("encode", "decode", "score", "sample")
    assert plain.verbs == ("encode", "decode", "reconstruct", "score", "sample")
    assert plain.facts.score_change == {}
    assert rounded.facts.bytes < plain.facts.bytes
    quantiles = [model.reference.scores["elbo_nats"].quantiles for model in (plain, rounded)]
    assert quantiles[0] != quantiles[1]
    assert np.allclose(*[list(levels.values()) for levels in quantiles], rtol=0.01)
    of_torch = plain.folder.reference.scores["elbo_nats"].quantiles
    assert np.allclose(list(quantiles[0].values()), list(of_torch.values()), rtol=1e-4)


def test_an_artifact_without_graphs_says_how_to_get_them() -> None:
    with pytest.raises(ArtifactError, match=r"no ONNX graphs yet[\s\S]*do: +vaekit export"):
        open_runtime(V1 / "artifact")


def test_an_unknown_variant_names_those_there_are() -> None:
    with pytest.raises(
        SpecError, match=r"'pruned75'[\s\S]*fp32 or int8 or pruned50[\s\S]*--prune SHARE"
    ):
        open_runtime(V1_ONNX, variant="pruned75")


def test_graphs_are_verified_like_every_file(tmp_path: Path) -> None:
    model = _copied(tmp_path)
    graph = model / "onnx" / "fp32" / "score.onnx"
    graph.write_bytes(graph.read_bytes() + b"x")
    with pytest.raises(ArtifactError, match="changed after it was written"):
        open_runtime(model)
    rewrite(model, "onnx/fp32/score.onnx", b"no graph")
    with pytest.raises(ArtifactError, match=r"'score' cannot be run[\s\S]*onnxruntime [\d.]+"):
        open_runtime(model)


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'vaekit\[serve\]'"):
        open_runtime(V1_ONNX)


def test_a_verb_without_a_graph_is_refused(plain: OnnxRuntime, x: np.ndarray) -> None:
    graph = plain.folder.read("onnx/fp32/encode.onnx")
    model = OnnxRuntime(plain.serving, {"encode": graph})
    assert model.encode(x).shape == (len(x), 2)
    with pytest.raises(SpecError, match=r"without a graph for 'sample'[\s\S]*vaekit.load"):
        model.sample(1)


def _copied(folder: Path) -> Path:
    return Path(shutil.copytree(V1_ONNX, folder / "artifact"))
