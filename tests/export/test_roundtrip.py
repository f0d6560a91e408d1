"""What goes into an artifact comes out of it: the same answers, bit for bit."""

from pathlib import Path

import numpy as np
import pytest
import torch
from artifacts.tampering import V1
from export.trained_models import DIGITS, digits, table

import vaekit
from vaekit.data import Rows
from vaekit.errors import SpecError
from vaekit.export import Artifact, Trained, export, load
from vaekit.export.serving import describe


def before(trained: Trained) -> Artifact:
    recipe, schema = dict(trained.recipe), trained.dataset.schema
    serving = describe(recipe, schema, trained.model, trained.transform)
    return Artifact(serving, trained.model, trained.transform)


def answers(artifact: Artifact, x: np.ndarray) -> dict[str, np.ndarray]:
    found = {"z": artifact.encode(x), "x": artifact.reconstruct(x), **artifact.score(x, 4, seed=1)}
    return {**found, "s": artifact.sample(3)} if artifact.serving.has_density else found


def check_same(trained: Trained, folder: Path) -> Artifact:
    loaded = load(export(folder, trained))
    x = trained.dataset.split("test").rows(0, 9).x.numpy()
    mine, theirs = answers(before(trained), x), answers(loaded, x)
    assert mine.keys() == theirs.keys()
    for name, values in mine.items():
        assert np.array_equal(values, theirs[name]), name
    assert set(loaded.score(x, 1)) == set(loaded.serving.scores)
    return loaded


@pytest.mark.parametrize("kind", DIGITS)
def test_digits(kind: str, tmp_path: Path) -> None:
    loaded = check_same(digits(kind), tmp_path / "artifact")
    assert loaded.schema.name == "digits"
    assert loaded.data["licence"] == "CC BY 4.0"
    assert loaded.data["splits"] == {"train": 1297, "validation": 250, "test": 250}
    assert loaded.dataset.fingerprint == loaded.data["fingerprint"]


def test_a_table_with_gaps_keeps_the_moments_of_its_transform(tmp_path: Path) -> None:
    trained = table(tmp_path)
    loaded = check_same(trained, tmp_path / "artifact")
    constants = loaded.serving.transform.constants
    assert np.array_equal(constants["mean"], trained.transform.state_dict()["mean"].numpy())
    assert constants["std"][2] == pytest.approx(10, rel=0.4)
    assert loaded.reference.split == "validation"


def test_the_committed_artifact_gives_the_numbers_it_gave() -> None:
    artifact = vaekit.load(V1 / "artifact")
    with np.load(V1 / "expected.npz") as expected:
        x = expected["x"]
        found = {
            "encode": artifact.encode(x),
            "reconstruct": artifact.reconstruct(x),
            "sample": artifact.sample(2, seed=1),
            **artifact.score(x, num_samples=20, seed=3),
        }
        assert set(found) == set(expected.files) - {"x"}
        for name, values in found.items():
            # Another machine adds up float32 in another order.
            assert np.allclose(values, expected[name], rtol=1e-4, atol=1e-4), name


def test_three_lines() -> None:
    model = vaekit.load(V1 / "artifact")
    scores = model.score(model.dataset.split("test").rows(0, 4).x.numpy())
    assert scores["elbo_nats"].shape == model.sample(4)[:, 0, 0, 0].shape


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    first, again = (export(tmp_path / name, digits()) for name in ("a", "b"))
    assert (first / "SHA256SUMS").read_bytes() == (again / "SHA256SUMS").read_bytes()


def test_loading_draws_from_no_generator_of_the_user() -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    load(V1 / "artifact")
    assert torch.equal(torch.rand(1), expected)


def test_reference_is_what_score_gives(tmp_path: Path) -> None:
    trained = digits("binarize")
    loaded = load(export(tmp_path / "artifact", trained))
    reference, x = loaded.reference, trained.dataset.split("validation").rows(0, 250).x.numpy()
    assert (reference.split, reference.examples) == ("validation", 250)
    scores = loaded.score(x, reference.num_samples, reference.seed)
    for name, values in scores.items():
        stored = reference.scores[name]
        assert stored.quantiles["0.5"] == pytest.approx(np.median(values), rel=1e-6)
        assert stored.mean == pytest.approx(values.mean(), rel=1e-6)
        assert sum(stored.histogram.counts) == 250
        assert len(stored.histogram.edges) == len(stored.histogram.counts) + 1
    codes = loaded.encode(x)
    assert np.allclose(reference.latent.mean, codes.mean(0), atol=1e-6)
    assert np.allclose(reference.latent.std, codes.std(0), atol=1e-6)
    inference = loaded.model.infer(loaded.observation(x))
    variance = inference.posterior[0].variance.mean(0)
    assert np.allclose(np.asarray(reference.latent.posterior_variance), variance.detach())


def test_raw_grey_is_shown_as_the_expectation_of_its_coins(tmp_path: Path) -> None:
    """With coins thrown often, E[log p(x | z)] averages to what the grey values score."""
    trained = digits("binarize")
    artifact = before(trained)
    x = trained.dataset.split("test").rows(0, 1).x
    assert torch.equal(artifact.observation(x.numpy()).x, x / 16)
    many = trained.transform(Rows(x.expand(4000, 1, 8, 8)), torch.Generator().manual_seed(0)).x
    z = artifact.encode(x.numpy())
    likelihood = artifact.model.decode((torch.from_numpy(z).unsqueeze(0),))
    drawn = likelihood.log_prob(many).detach().numpy().ravel()
    grey = likelihood.log_prob(x / 16).item()
    assert abs(drawn.mean() - grey) < 5 * drawn.std() / np.sqrt(len(drawn))


@pytest.mark.parametrize("kind", ["categorical", "vq"])
def test_between_discrete_codes_there_is_no_way(kind: str, tmp_path: Path) -> None:
    loaded = load(export(tmp_path / "artifact", digits(kind)))
    x = loaded.dataset.split("test").rows(0, 2).x.numpy()
    assert loaded.serving.is_discrete
    assert "paths between" not in loaded.card
    with pytest.raises(SpecError, match="no way to interpolate"):
        loaded.interpolate(x, x)
    with pytest.raises(SpecError, match="no way to traverse"):
        loaded.traverse()
    # What is encoded are codes: decoding them is all there is to reconstructing.
    assert np.array_equal(loaded.decode(loaded.encode(x)), loaded.reconstruct(x))


def test_an_autoencoder_has_no_prior(tmp_path: Path) -> None:
    loaded = load(export(tmp_path / "artifact", digits("autoencoder")))
    assert loaded.serving.scores == ("expected_log_likelihood_nats", "mse")
    assert "sample" not in loaded.serving.outputs
    assert loaded.reference.latent.posterior_variance is None
    with pytest.raises(SpecError, match="no prior to sample from"):
        loaded.sample(1)
    assert loaded.traverse(steps=3).shape == (1, 3, 3, 1, 8, 8)
