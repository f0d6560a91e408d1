"""A run killed with SIGKILL at ten random moments ends with the bytes of one never killed."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from runs.small_recipe import SETTINGS

from vaekit.training import latest_checkpoint

PYTHON = [sys.executable, "-m", "vaekit"]
SLOWER = ("training.epochs=150", "training.checkpoint_every_seconds=0.05")


def command(folder: Path) -> list[str]:
    settings = [part for setting in (*SETTINGS, *SLOWER) for part in ("--set", setting)]
    return [*PYTHON, "train", "digits", *settings, "--quiet", "--output", str(folder)]


def weights(folder: Path) -> bytes:
    newest = latest_checkpoint(folder / "checkpoint")
    assert newest is not None
    return (newest / "state.safetensors").read_bytes()


@pytest.mark.slow
def test_ten_kills(tmp_path: Path) -> None:
    started = time.monotonic()
    subprocess.run(command(tmp_path / "whole"), check=True, capture_output=True)
    duration = time.monotonic() - started
    moments = random.Random(0)
    for _ in range(10):
        process = subprocess.Popen(command(tmp_path / "killed"), stdout=subprocess.DEVNULL)
        time.sleep(moments.uniform(0.2, 0.6) * duration)
        process.kill()
        process.wait()
    subprocess.run(command(tmp_path / "killed"), check=True, capture_output=True)
    assert weights(tmp_path / "killed") == weights(tmp_path / "whole")
    log = [(tmp_path / name / "metrics.jsonl").read_text() for name in ("killed", "whole")]
    assert log[0].count("\n") == log[1].count("\n")
