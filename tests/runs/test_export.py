"""A run leaves an artifact at its end, and not before."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from runs.small_recipe import small_recipe
from runs.test_train import Stop

import vaekit
from vaekit.errors import ArtifactError, Interrupted
from vaekit.runs import open_run, train


def test_the_artifact_is_the_model_of_the_run(tmp_path: Path) -> None:
    run = train(small_recipe(), tmp_path / "r")
    assert run.has_artifact
    artifact = run.artifact
    for name, tensor in run.model.state_dict().items():
        assert torch.equal(artifact.model.state_dict()[name], tensor)
    assert artifact.metrics == run.results
    assert artifact.recipe == run.recipe.model_dump(mode="json")
    assert artifact.provenance["data_fingerprint"] == run.dataset.fingerprint
    x = run.dataset.split("test").rows(0, 3).x.numpy()
    assert np.array_equal(vaekit.load(tmp_path / "r").encode(x), artifact.encode(x))


def test_a_finished_run_without_one_gets_one(tmp_path: Path) -> None:
    run = train(small_recipe(), tmp_path / "r")
    sums = (tmp_path / "r" / "artifact" / "SHA256SUMS").read_bytes()
    results = run.results
    shutil.rmtree(tmp_path / "r" / "artifact")
    train(small_recipe(), tmp_path / "r")
    assert (tmp_path / "r" / "artifact" / "SHA256SUMS").read_bytes() == sums
    assert open_run(tmp_path / "r").results == results  # it was not measured again


def test_a_run_that_still_trains_has_none(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        train(small_recipe(), tmp_path / "r", [Stop(30)])
    with pytest.raises(ArtifactError, match=r"still training[\s\S]*train --resume"):
        open_run(tmp_path / "r").export()
    with pytest.raises(ArtifactError, match="no artifact yet"):
        vaekit.load(tmp_path / "r")
    assert not (tmp_path / "r" / "artifact").exists()
