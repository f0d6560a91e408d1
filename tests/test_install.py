"""What a person meets first: the package imports, starts quickly and is whole."""

import importlib.metadata
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import jaxtyping
import pytest
import torch

import vaekit
from vaekit.numerics import log_mean_exp

ROOT = Path(__file__).parents[1]
SCRIPT = Path(sysconfig.get_path("scripts"), "vaekit")
SLOW_TO_IMPORT = {"torch", "matplotlib", "sklearn", "scipy"}


@pytest.mark.parametrize(
    "command",
    [
        [sys.executable, "-c", "import vaekit"],
        [sys.executable, "-m", "vaekit", "--help"],
        [SCRIPT, "--help"],
    ],
    ids=["import", "module", "script"],
)
def test_starts_without_slow_imports(command: list[str]) -> None:
    environment = {**os.environ, "PYTHONPROFILEIMPORTTIME": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    reports = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    imported = {line.rpartition("|")[2].strip() for line in reports}
    assert "vaekit" in imported
    assert imported.isdisjoint(SLOW_TO_IMPORT)


def test_version_is_the_installed_one() -> None:
    assert vaekit.__version__ == importlib.metadata.version("vaekit")


def test_every_public_name_exists() -> None:
    assert len(set(vaekit.__all__)) == len(vaekit.__all__)
    assert [name for name in vaekit.__all__ if not hasattr(vaekit, name)] == []


def test_a_serving_image_has_the_tested_versions_and_no_torch() -> None:
    pinned = [
        {line for line in text.splitlines() if line and not line.startswith("#")}
        for text in (
            (ROOT / "requirements" / name).read_text() for name in ("serve.txt", "constraints.txt")
        )
    ]
    assert pinned[0] <= pinned[1]
    names = {line.partition("==")[0] for line in pinned[0]}
    assert {"onnxruntime", "fastapi", "numpy"} <= names
    assert names.isdisjoint({"torch", "matplotlib", "scikit-learn"})


@pytest.mark.parametrize("module", ["torch", "matplotlib"])
def test_a_command_says_which_package_it_misses(module: str, tmp_path: Path) -> None:
    code = f"import sys; sys.modules[{module!r}] = None; from vaekit.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "train", "digits", "--output", str(tmp_path / "run")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 6
    assert "Traceback" not in done.stderr
    assert f"needs the package {module}" in done.stderr


def test_tests_check_annotated_shapes() -> None:
    with pytest.raises(jaxtyping.TypeCheckError):
        log_mean_exp(torch.zeros(3, dtype=torch.int64))


@pytest.mark.slow
@pytest.mark.network
def test_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", tmp_path, ROOT]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("vaekit-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if name.startswith("vaekit/")}
    source = ROOT / "src"
    expected = {
        path.relative_to(source).as_posix()
        for path in (source / "vaekit").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "vaekit/py.typed" in expected
    assert any(name.startswith("vaekit/recipes/") and name.endswith(".toml") for name in expected)
    assert held == expected
