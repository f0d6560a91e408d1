"""MLflow's own client reads back what was told."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from trackers.tracked_run import VALIDATIONS, Kill, logged, only_run, store, tracked

from vaekit.errors import Interrupted
from vaekit.runs import Run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = tracked(tmp_path_factory.mktemp("mlflow") / "r", "mlflow")
    run.evaluate()
    return run


def history(folder: Path, name: str) -> list[tuple[int, float]]:
    client = store(folder / "mlflow")
    run = only_run(client)
    return [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, name)]


def test_the_recipe_becomes_parameters(run: Run) -> None:
    kept = only_run(store(run.folder / "mlflow"))
    assert kept.info.run_name == "digits"
    assert kept.info.status == "FINISHED"
    assert kept.data.params["model.latent_dim"] == "2"
    assert kept.data.params["training.optimizer.kind"] == "adam"
    assert kept.data.params["training.precision"] == "float32"


@pytest.mark.parametrize("kind", ["training", "validation"])
def test_numbers_are_those_of_the_log(run: Run, kind: str) -> None:
    assert history(run.folder, f"{kind}/elbo_nats") == logged(run, kind, "elbo_nats")


def test_results_follow(run: Run) -> None:
    assert run.results is not None
    assert history(run.folder, "results/nll_nats") == [(5120, run.results["nll_nats"])]


def test_pictures_are_artifacts(run: Run) -> None:
    client = store(run.folder / "mlflow")
    kept: Any = only_run(client)
    for name in ("reconstructions", "samples"):
        files = [a.path for a in client.list_artifacts(kept.info.run_id, name)]
        assert files == [f"{name}/{step:012d}.png" for step in VALIDATIONS]
    local = client.download_artifacts(kept.info.run_id, files[-1])
    assert np.asarray(Image.open(local)).shape == (35, 35, 3)  # 4 x 4 samples of 8 x 8


@pytest.mark.parametrize("polite", [True, False], ids=["stopped", "crashed"])
def test_a_resumed_run_goes_on(run: Run, polite: bool, tmp_path: Path) -> None:
    """In the same run, and nothing is there twice."""
    with pytest.raises(Interrupted if polite else MemoryError):
        tracked(tmp_path / "r", "mlflow", listeners=[Kill(50, polite)])
    status = only_run(store(tmp_path / "r" / "mlflow")).info.status
    assert status == ("KILLED" if polite else "FAILED")
    # Machine settings may change, which MLflow's parameters may not.
    tracked(tmp_path / "r", "mlflow", settings=["training.precision=bfloat16"])
    for name in ("training/elbo_nats", "validation/elbo_nats"):
        steps = [[step for step, _ in history(f, name)] for f in (tmp_path / "r", run.folder)]
        assert steps[0] == steps[1]
    assert only_run(store(tmp_path / "r" / "mlflow")).info.status == "FINISHED"


def test_the_environment_is_left_as_it_was(run: Run) -> None:
    assert "MLFLOW_ALLOW_FILE_STORE" not in os.environ


def test_another_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = (tmp_path / "all").as_uri()
    tracker = f'{{ kind = "mlflow", tracking_uri = "{uri}", experiment = "mine", images = 0 }}'
    for name in ("a", "b"):
        tracked(tmp_path / name, tracker, settings=["training.epochs=1"])
    client = store(tmp_path / "all")
    experiment = client.get_experiment_by_name("mine")
    assert len(client.search_runs([experiment.experiment_id])) == 2
