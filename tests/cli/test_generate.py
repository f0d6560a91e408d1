"""`vaekit generate` on the committed artifact with graphs."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from vaekit.cli.main import app
from vaekit.runtime import open_runtime

ARTIFACT = Path(__file__).parents[1] / "artifacts" / "v1_onnx"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vaekit.runtime.generation.TRIAL_SECONDS", 0.0)


def asked(output: Path, *more: str) -> tuple[int, str]:
    command = ["generate", str(ARTIFACT), "--output", str(output), "--shard", "4", *more]
    result = CliRunner().invoke(app, command)
    return result.exit_code, result.output


def test_files_of_samples_and_a_table_of_batches(quick: None, tmp_path: Path) -> None:
    code, said = asked(tmp_path / "x", "-n", "10", "--seed", "5", "--price", "3.6")
    assert code == 0
    assert "cost per 1,000" in said
    assert "3 of 3: 2 examples" in said
    np.testing.assert_array_equal(
        np.load(tmp_path / "x" / "00000.npy"), open_runtime(ARTIFACT).sample(4, 5)
    )
    code, said = asked(tmp_path / "x", "-n", "10", "--seed", "5")
    assert code == 0
    assert "batch" not in said
    assert "3 were there already" in said
    shutil.rmtree(tmp_path / "x")
