"""From a recipe to a run: what it leaves, what it refuses, and that it goes on."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from runs.small_recipe import small_recipe

import vaekit
from vaekit.data import Statistics, present
from vaekit.errors import ArtifactError, DataError, Interrupted, SpecError
from vaekit.objectives import BetaTCVAE, BetaTCVAESpec
from vaekit.recipes import load_recipe
from vaekit.runs import RunFolder, fit, open_run, prepare, train
from vaekit.training import Listener, Record, latest_checkpoint


class Stop(Listener):
    """Sends SIGINT after a number of steps."""

    def __init__(self, step: int) -> None:
        self.step = step

    def stepped(self, step: int, reported: Record) -> None:
        if step == self.step:
            os.kill(os.getpid(), signal.SIGINT)


def weights(folder: Path) -> bytes:
    newest = latest_checkpoint(folder / "checkpoint")
    assert newest is not None
    return (newest / "state.safetensors").read_bytes()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "small"
    train(small_recipe(), folder)
    return folder


def test_a_run_leaves_everything(finished: Path) -> None:
    assert load_recipe(finished / "recipe.toml").training.device == "cpu"
    provenance = json.loads((finished / "provenance.json").read_text())
    assert provenance["data_fingerprint"]
    assert provenance["environment"]["threads"] == 1
    for name in ("loss_curves", "reconstructions", "samples", "latent_map"):
        assert (finished / "figures" / f"{name}.png").read_bytes()[1:4] == b"PNG"
    results = open_run(finished).results
    assert results is not None
    assert results["examples"] == 50
    assert results["num_samples"] == 20
    assert results["binarization"] == "integers"
    elbo, nll = float(results["elbo_nats"] or 0), float(results["nll_nats"] or 0)
    assert elbo < -nll  # importance sampling tightens the bound
    assert not list(finished.rglob("*.partial"))


def test_results_are_those_of_the_kept_weights(finished: Path) -> None:
    run = open_run(finished)
    before, again = run.results, run.evaluate()
    assert before is not None
    assert again["nll_nats"] == pytest.approx(before["nll_nats"], abs=1e-9)
    with torch.no_grad():
        (first, *_) = present(run.dataset.split("test"), run.transform, 0, "cpu")
        assert run.model.embed(first).shape == (250, 2)


def test_the_same_command_shows_a_finished_run(finished: Path) -> None:
    before = weights(finished)
    run = train(small_recipe(), finished)
    assert weights(finished) == before
    assert run.is_finished


def test_stopped_and_continued_ends_alike(finished: Path, tmp_path: Path) -> None:
    for step in (3, 30, 55):
        with pytest.raises(Interrupted, match=f"train --resume {tmp_path / 'r'}"):
            train(small_recipe(), tmp_path / "r", [Stop(step)])
    train(small_recipe(), tmp_path / "r")
    assert weights(tmp_path / "r") == weights(finished)
    kept = [[(r["step"], r["kind"]) for r in open_run(f).log] for f in (tmp_path / "r", finished)]
    assert kept[0] == kept[1]


def test_another_recipe_is_refused(finished: Path) -> None:
    before = weights(finished)
    with pytest.raises(ArtifactError, match=r"training.epochs: 4 in the folder, 5 asked for"):
        train(small_recipe("training.epochs=5"), finished)
    assert weights(finished) == before


def test_machine_settings_may_change(finished: Path) -> None:
    chosen, _ = prepare(small_recipe("training.threads=2"), finished)
    assert chosen.training.threads == 2
    auto = small_recipe().training.model_copy(update={"threads": None, "precision": "auto"})
    kept, _ = prepare(small_recipe().model_copy(update={"training": auto}), finished)
    assert (kept.training.threads, kept.training.precision) == (1, "float32")


def test_trackers_may_change(finished: Path) -> None:
    """They watch a run; the newest choice wins."""
    chosen, _ = prepare(small_recipe('trackers=[{kind="wandb", project="p"}]'), finished)
    assert [tracker.kind for tracker in chosen.trackers] == ["wandb"]
    assert prepare(small_recipe(), finished)[0].trackers == ()


def test_foreign_folders_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(ArtifactError, match="not a run"):
        train(small_recipe(), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["letter.txt"]
    with pytest.raises(ArtifactError, match="no run in this folder"):
        open_run(tmp_path)


def test_two_processes_do_not_share_a_folder(tmp_path: Path) -> None:
    recipe, folder = prepare(small_recipe(), tmp_path / "r")
    provenance = {"data_fingerprint": "x", "data_source": "y"}
    with (
        RunFolder(folder).claimed(recipe, provenance),
        pytest.raises(ArtifactError, match="Another process"),
        RunFolder(folder).claimed(recipe, provenance),
    ):
        pass


def test_changed_data_is_refused(tmp_path: Path) -> None:
    recipe, folder = prepare(small_recipe(), tmp_path / "r")
    with RunFolder(folder).claimed(recipe, {"data_fingerprint": "x", "data_source": "y"}):
        pass
    with pytest.raises(ArtifactError, match="data has changed"):
        fit(recipe, folder)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        (["training.batch_size=1298"], DataError, "from 1 to 1297"),
        (["transform.kind=standardize"], SpecError, "cannot score"),
        (["model.likelihood.levels=16"], SpecError, "whole numbers from 0 up to 15"),
        (["training.warm_start.run=nowhere"], ArtifactError, "no such folder"),
        (["model.latent_dim=1", "model.prior.kind=real_nvp"], SpecError, "prior.kind = 'mixture'"),
        (["model.prior={kind='vamp', components=1298}"], SpecError, "components to 1297 or less"),
        (["model.prior.kind=conditional_gaussian"], SpecError, "something to depend on"),
    ],
    ids=[
        *("batch", "likelihood", "levels", "warm start"),
        *("flow over one dimension", "vamp", "no condition"),
    ],
)
def test_refused_before_anything_is_written(
    settings: list[str], error: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        train(small_recipe(*settings), tmp_path / "r")
    assert not (tmp_path / "r").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_missing_device_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no CUDA device"):
        train(small_recipe("training.device=cuda"), tmp_path / "r")
    assert not (tmp_path / "r").exists()


def test_warm_start_begins_with_the_other_run(finished: Path, tmp_path: Path) -> None:
    run = train(
        small_recipe(f"training.warm_start.run={finished}", "training.epochs=1"), tmp_path / "r"
    )
    cold = train(small_recipe("training.epochs=1"), tmp_path / "cold")
    warm_loss, cold_loss = (float(r.log[0]["loss_nats"]) for r in (run, cold))
    assert warm_loss < cold_loss


def test_fine_tuning_a_decoder_of_an_artifact_with_a_kl_schedule(
    finished: Path, tmp_path: Path
) -> None:
    shutil.copytree(finished / "artifact", tmp_path / "given")
    chosen = small_recipe(
        f"training.warm_start.run={tmp_path / 'given'}",
        "training.warm_start.parts=['decoder']",
        "training.warm_start.freeze_epochs=4",
        "training.ema_decay=0",
        "training.epochs=4",
        "objective.beta={kind='linear', start=0.1, end=0.9, warmup_epochs=2}",
        "model.encoder.hidden=[12]",
    )
    run = train(chosen, tmp_path / "r")
    trained, theirs = run.model.state_dict(), open_run(finished).model.state_dict()
    of_decoder = [name for name in theirs if name.startswith("decoder.")]
    assert of_decoder
    assert all(torch.equal(trained[name], theirs[name]) for name in of_decoder)
    betas = [float(line["beta"]) for line in run.log if "beta" in line]
    assert betas == sorted(betas)
    assert betas[0] < 0.6
    assert betas[-1] == pytest.approx(0.9)
    # The encoder of the other size found codes that the decoder understands.
    validations = [float(r["elbo_nats"]) for r in run.log if r["kind"] == "validation"]
    assert validations[-1] > validations[0]


def test_warm_start_from_a_damaged_artifact_is_refused(finished: Path, tmp_path: Path) -> None:
    given = tmp_path / "given"
    shutil.copytree(finished / "artifact", given)
    with (given / "model.safetensors").open("ab") as file:
        file.write(b"more")
    with pytest.raises(ArtifactError, match=r"model\.safetensors"):
        train(small_recipe(f"training.warm_start.run={given}"), tmp_path / "r")
    assert not (tmp_path / "r").exists()


def test_autoencoder_and_missing_values(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(80, 5)).astype(np.float32)
    x[::7, 2] = np.nan
    np.save(tmp_path / "x.npy", x)
    file = tmp_path / "mine.toml"
    file.write_text(
        f"""
        [data]
        kind = "arrays"
        path = "{tmp_path / "x.npy"}"
        missing = "nan"
        [transform]
        kind = "standardize"
        [model]
        kind = "autoencoder"
        latent_dim = 1
        encoder = {{ kind = "mlp", hidden = [8] }}
        decoder = {{ kind = "mlp", hidden = [8] }}
        likelihood = {{ kind = "gaussian" }}
        [objective]
        kind = "reconstruction"
        [training]
        epochs = 2
        batch_size = 16
        log_every_steps = 4
        """
    )
    run = train(file, tmp_path / "r")
    assert run.results is not None
    assert "nll_nats" not in run.results
    assert not (tmp_path / "r" / "figures" / "samples.png").exists()


def test_evaluation_split_must_exist(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((40, 3), np.uint8))
    file = tmp_path / "mine.toml"
    data = f'[data]\nkind = "arrays"\npath = "{tmp_path / "x.npy"}"\ntest = 0\n'
    file.write_text(data + '[transform]\nkind = "binarize"\n')
    with pytest.raises(DataError, match="no split 'test'"):
        train(file, tmp_path / "r")
    assert not (tmp_path / "r").exists()


def test_public_door() -> None:
    assert vaekit.train is train
    assert vaekit.load_recipe is load_recipe


def test_objective_is_told_how_many_examples_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    build = BetaTCVAESpec.build

    def noted(spec: BetaTCVAESpec, statistics: Statistics | None = None) -> BetaTCVAE:
        assert statistics is not None
        told.append(statistics.num_examples)
        return build(spec, statistics)

    monkeypatch.setattr(BetaTCVAESpec, "build", noted)
    recipe, folder = prepare(small_recipe("objective.kind=beta_tcvae"), tmp_path / "run")
    fit(recipe, folder)
    assert set(told) == {len(recipe.data.load().split("train"))}
    assert "total_correlation_nats" in (folder / "metrics.jsonl").read_text()


def test_the_first_step_does_not_wait_for_what_it_does_not_need(tmp_path: Path) -> None:
    """torch's compiler and matplotlib take a second and a half to import."""
    script = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from small_recipe import small_recipe
from vaekit.runs import fit, prepare
from vaekit.training import Listener

class Look(Listener):
    def stepped(self, step, reported):
        print([name for name in ("torch._dynamo", "matplotlib", "sympy") if name in sys.modules])
        raise SystemExit

fit(*prepare(small_recipe(), {str(tmp_path / "run")!r}), [Look()])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
