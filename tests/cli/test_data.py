"""`vaekit data` in process: what it prints, and the errors it hands to its caller."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vaekit.cli.data import data_app
from vaekit.data import DATA_SETS
from vaekit.errors import DataError, SpecError


def run(*arguments: str) -> str:
    wide = {"COLUMNS": "120"}
    result = CliRunner().invoke(data_app, arguments, env=wide, catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_starts_without_torch() -> None:
    program = "import sys, vaekit.cli.data; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_list_names_every_set_and_whether_it_is_here() -> None:
    lines = run("list").splitlines()
    for name, known in DATA_SETS.items():
        (line,) = (line for line in lines if line.split()[:1] == [name])
        assert f"{known.examples:,}" in line
        assert ("yes" in line) == (name in ("digits", "sprites"))  # the cache of a test is empty


def test_fetch_and_verify_print_the_fingerprint() -> None:
    fingerprint = DATA_SETS["digits"].spec.load().fingerprint
    for verb in ("fetch", "verify"):
        output = run(verb, "digits")
        assert f"fingerprint  {fingerprint}" in output
        assert "1297/250/250" in output


def test_verify_fetches_nothing() -> None:
    with pytest.raises(DataError, match="vaekit data fetch mnist"):
        run("verify", "mnist")


def test_verify_names_what_is_damaged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "mnist").mkdir()
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (tmp_path / "mnist" / f"{name}-ubyte").write_bytes(b"damaged")
    monkeypatch.setenv("VAEKIT_CACHE", str(tmp_path))
    with pytest.raises(DataError, match="train-images-idx3-ubyte is not the published file"):
        run("verify", "mnist")


@pytest.mark.parametrize("verb", ["fetch", "verify"])
def test_unknown_name_lists_the_known_ones(verb: str) -> None:
    known = "mnist, mnist_static, fashion_mnist, frey_faces, omniglot, digits, sprites"
    with pytest.raises(SpecError, match=f"one of {known}"):
        run(verb, "minst")
