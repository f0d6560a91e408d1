"""What Weights & Biases keeps of a run while offline, read from its own files."""

import json
from pathlib import Path
from typing import Any

import pytest
from trackers.tracked_run import VALIDATIONS, Kill, logged, offline_runs, recipe, tracked

from vaekit.errors import Interrupted, SpecError
from vaekit.runs import Run, fit, prepare


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = tracked(tmp_path_factory.mktemp("wandb") / "r", "wandb")
    run.evaluate()
    return run


def rows(records: list[Any]) -> list[dict[str, Any]]:
    """The rows of the history."""
    kept = [record.history for record in records if record.WhichOneof("record_type") == "history"]
    return [
        {"/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in row.item}
        for row in kept
    ]


def told(records: list[Any], name: str) -> list[tuple[int, float]]:
    return [(row["examples_seen"], row[name]) for row in rows(records) if name in row]


def test_the_recipe_becomes_the_configuration(run: Run) -> None:
    first = offline_runs(run.folder)[0]
    (header,) = [r.run for r in first if r.WhichOneof("record_type") == "run"]
    assert (header.project, header.display_name) == ("vaekit", "digits")
    config = {item.key: json.loads(item.value_json) for item in header.config.update}
    assert config["model"]["latent_dim"] == 2
    assert config["training"]["optimizer"]["kind"] == "adam"


@pytest.mark.parametrize("kind", ["training", "validation"])
def test_numbers_are_those_of_the_log(run: Run, kind: str) -> None:
    first = offline_runs(run.folder)[0]
    assert told(first, f"{kind}/elbo_nats") == logged(run, kind, "elbo_nats")


def test_pictures_and_histograms(run: Run) -> None:
    shown = [row for row in rows(offline_runs(run.folder)[0]) if "samples/path" in row]
    assert tuple(row["examples_seen"] for row in shown) == VALIDATIONS
    for row in shown:
        assert sum(row["posterior/mean/values"]) == 250 * 2  # examples x latent_dim
        for name in ("reconstructions", "samples"):
            (file,) = run.folder.glob(f"wandb/offline-run-*/files/{row[f'{name}/path']}")
            assert file.read_bytes()[1:4] == b"PNG"


def test_results_follow(run: Run) -> None:
    assert run.results is not None
    last = offline_runs(run.folder)[-1]
    assert told(last, "results/nll_nats") == [(5120, run.results["nll_nats"])]


def test_a_resumed_run_keeps_its_name(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        tracked(tmp_path / "r", "wandb", listeners=[Kill(50, polite=True)])
    resumed = tracked(tmp_path / "r", "wandb")
    both = offline_runs(tmp_path / "r")
    assert len(both) == 2
    headers = [
        [r.run.run_id for r in part if r.WhichOneof("record_type") == "run"] for part in both
    ]
    assert headers[0] == headers[1]
    together = [pair for part in both for pair in told(part, "training/elbo_nats")]
    assert together == logged(resumed, "training", "elbo_nats")


def test_online_needs_a_login(tmp_path: Path) -> None:
    """Said before training, and nobody is asked for a key."""
    chosen, folder = prepare(recipe('{ kind = "wandb", mode = "online" }'), tmp_path / "r")
    with pytest.raises(SpecError, match=r"does not know who you are(.|\n)*wandb login"):
        fit(chosen, folder)
    assert not folder.exists()
