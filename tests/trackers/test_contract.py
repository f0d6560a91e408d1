"""What every tracker promises: it changes nothing, stops nothing, and is not needed."""

import builtins
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter
from trackers.tracked_run import KINDS, events, recipe, tracked, weights

from vaekit.errors import MissingExtraError
from vaekit.recipes import load_recipe
from vaekit.runs import Run, fit, open_run, prepare
from vaekit.trackers import MLflowTracker, TensorBoardTracker, TrackerSpec, WandbTracker

TRACKERS = {
    "tensorboard": TensorBoardTracker,
    "mlflow": MLflowTracker,
    "wandb": WandbTracker,
}
PACKAGES = {"tensorboard": "torch.utils.tensorboard", "mlflow": "mlflow", "wandb": "wandb"}
AUTOENCODER = ("model.kind=autoencoder", "objective.kind=reconstruction", "training.epochs=2")


@pytest.fixture(scope="module")
def untracked(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return tracked(tmp_path_factory.mktemp("untracked") / "r")


def test_every_kind_is_tested() -> None:
    schema = TypeAdapter(TrackerSpec).json_schema()
    assert set(schema["discriminator"]["mapping"]) == set(KINDS) == set(TRACKERS)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_are_the_same_bit_for_bit(untracked: Run, kind: str, tmp_path: Path) -> None:
    tracked(tmp_path / "r", kind)
    assert weights(tmp_path / "r") == weights(untracked.folder)


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_package_is_said_before_anything_is_written(
    kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real = builtins.__import__

    def without(name: str, *more: Any, **options: Any) -> Any:
        if name == PACKAGES[kind]:
            raise ModuleNotFoundError(name)
        return real(name, *more, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    chosen, folder = prepare(recipe(kind), tmp_path / "r")
    with pytest.raises(MissingExtraError, match=rf"pip install 'vaekit\[{kind}\]'"):
        fit(chosen, folder)
    assert not folder.exists()


@pytest.mark.parametrize("method", ["open", "numbers", "show", "close"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_failure_is_said_and_training_goes_on(
    untracked: Run, kind: str, method: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fails(*given: Any, **named: Any) -> None:
        raise ConnectionError("the tracker is away")

    monkeypatch.setattr(TRACKERS[kind], method, fails)
    message = f"{TRACKERS[kind].__name__} failed and is left out(.|\n)*the tracker is away"
    with pytest.warns(RuntimeWarning, match=message) as warned:
        tracked(tmp_path / "r", kind)
    assert len(warned) == 1
    assert weights(tmp_path / "r") == weights(untracked.folder)


def _block_tensorboard(folder: Path) -> None:
    (folder / "tensorboard").write_text("in the way")


def _block_mlflow(folder: Path) -> None:
    (folder / "mlflow").write_text("in the way")


def _block_wandb(folder: Path) -> None:
    (folder / "wandb").write_text("in the way")


@pytest.mark.parametrize("block", [_block_tensorboard, _block_mlflow, _block_wandb])
def test_a_place_that_cannot_be_written_to(
    untracked: Run, block: Callable[[Path], None], tmp_path: Path
) -> None:
    """A file lies where the tracker wants a folder: that stops root as well."""
    kind = block.__name__.removeprefix("_block_")
    chosen, folder = prepare(recipe(kind), tmp_path / "r")
    folder.mkdir()
    block(folder)
    with pytest.warns(RuntimeWarning, match="failed and is left out; training goes on"):
        fit(chosen, folder)
    assert weights(folder) == weights(untracked.folder)


@pytest.mark.parametrize("kind", KINDS)
def test_results_are_kept_when_a_tracker_is_away(
    kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run = tracked(tmp_path / "r", kind, settings=["training.epochs=1"])

    def fails(*given: Any, **named: Any) -> None:
        raise ConnectionError("the tracker is away")

    monkeypatch.setattr(TRACKERS[kind], "open", fails)
    with pytest.warns(RuntimeWarning, match="could not be sent(.|\n)*the tracker is away"):
        results = run.evaluate()
    assert open_run(tmp_path / "r").results == results


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_without_a_posterior(kind: str, tmp_path: Path) -> None:
    assert tracked(tmp_path / "r", kind, settings=AUTOENCODER).is_finished
    if kind == "tensorboard":
        tags = events(tmp_path / "r" / "tensorboard").Tags()
        assert (tags["images"], tags["histograms"]) == (["reconstructions"], [])


@pytest.mark.parametrize("kind", KINDS)
def test_vectors_without_labels_or_validation(kind: str, tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(80, 5)).astype(np.float32)
    x[::7, 2] = np.nan
    np.save(tmp_path / "x.npy", x)
    file = tmp_path / "vectors.toml"
    file.write_text(
        f'''
        trackers = [{{ kind = "{kind}" }}]
        data = {{ kind = "arrays", path = "{tmp_path / "x.npy"}", missing = "nan", validation = 0 }}
        transform = {{ kind = "standardize" }}
        model = {{ kind = "vae", latent_dim = 2, likelihood = {{ kind = "gaussian" }} }}
        training = {{ epochs = 2, batch_size = 16, precision = "float32", threads = 1 }}
        '''
    )
    fit(*prepare(load_recipe(file), tmp_path / "r"))
    if kind == "tensorboard":  # the end of the run is looked at instead
        folder = tmp_path / "r" / "tensorboard"
        tags = events(folder).Tags()
        assert tags["images"] == []
        assert "posterior/log_variance" in tags["histograms"]
        (codes,) = folder.glob("*/codes/tensors.tsv")
        assert not (codes.parent / "sprite.png").exists()
        assert not (codes.parent / "metadata.tsv").exists()


def test_no_package_is_imported_without_need(tmp_path: Path) -> None:
    program = (
        "import sys, vaekit.runs, vaekit.trackers\n"
        "wanted = {'tensorboard', 'mlflow', 'wandb'} & set(sys.modules)\n"
        "sys.exit(f'imported {wanted}' if wanted else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
