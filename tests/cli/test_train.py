"""`vaekit train` as a process: what it prints, its exit codes, and no traceback ever."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from runs.small_recipe import SETTINGS

SMALL = [part for setting in SETTINGS for part in ("--set", setting)]


def vaekit(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, "-m", "vaekit", *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_run_from_beginning_to_end(tmp_path: Path) -> None:
    done = vaekit("train", "digits", *SMALL, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for text in ("-ELBO", "KL(q(z|x) || p(z))", "NLL, 20 importance samples", "1297/250/250"):
        assert text in done.stdout
    for place in ("figures", "report.html", "artifact"):
        assert f"runs/digits/{place}" in done.stdout
        assert (tmp_path / "runs" / "digits" / place).exists()
    assert "\x1b" not in done.stdout  # no terminal, no colours
    again = vaekit("train", "--resume", "runs/digits", cwd=tmp_path)
    assert "trained already" in again.stdout


def test_dry_run_does_not_care_about_another_run_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "runs" / "digits").mkdir(parents=True)
    (tmp_path / "runs" / "digits" / "recipe.toml").write_text("seed = 7\n")
    done = vaekit("train", "digits", "--set", "training.epochs=5", "--dry-run", cwd=tmp_path)
    assert tomllib.loads(done.stdout)["training"]["epochs"] == 5


def test_ctrl_c_is_answered_by_a_line(tmp_path: Path) -> None:
    stop = (
        "import vaekit.cli.main as it, vaekit.runs as runs\n"
        "def stopped(*given): raise KeyboardInterrupt\n"
        "runs.prepare = stopped\n"
        "it.main()"
    )
    command = [sys.executable, "-c", stop, "train", "digits"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr.startswith("Stopped;")


def test_dry_run_prints_the_resolved_recipe_and_writes_nothing(tmp_path: Path) -> None:
    done = vaekit("train", "digits", "--set", "training.epochs=5", "--dry-run", cwd=tmp_path)
    recipe = tomllib.loads(done.stdout)
    assert recipe["training"]["epochs"] == 5
    assert recipe["training"]["device"] in ("cpu", "cuda")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["train"], 2, "Name either a recipe"),
        (["train", "minst"], 2, "did you mean mnist"),
        (["train", "digits", "--set", "model.latent_dim=0"], 2, "greater than 0"),
        (["train", "digits", "--nonsense"], 2, "No such option"),
        (["train", "digits", "--set", "training.batch_size=9999"], 3, "1297"),
        (["train", "--resume", "nowhere"], 4, "There is no run in this folder"),
        (["train", "digits", "--output", "/proc/vaekit"], 4, "could not be written"),
        (
            ["train", "digits", *SMALL, "--set", "training.optimizer.learning_rate=1e30"],
            5,
            "Training diverged",
        ),
    ],
    ids=["nothing", "name", "value", "option", "batch", "resume", "unwritable", "divergence"],
)
def test_mistakes_end_in_a_message(
    arguments: list[str], code: int, message: str, tmp_path: Path
) -> None:
    done = vaekit(*arguments, cwd=tmp_path)
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_tracker_that_fails_is_said_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    trackers = f'trackers=[{{kind="tensorboard", folder="{tmp_path / "file" / "x"}"}}]'
    done = vaekit("train", "digits", *SMALL, "--set", trackers, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "warning: TensorBoardTracker failed and is left out; training goes on." in done.stdout
    assert "RuntimeWarning" not in done.stdout + done.stderr


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    done = vaekit("--debug", "train", "minst", cwd=tmp_path)
    assert "Traceback" in done.stderr
