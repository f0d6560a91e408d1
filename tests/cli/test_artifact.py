"""`vaekit artifact` in process, and the exit codes of a tampered model as a process."""

from pathlib import Path

import pytest
from artifacts.tampering import V1, copied, rewrite
from cli.test_train import vaekit
from typer.testing import CliRunner

from vaekit.cli.main import app
from vaekit.errors import ArtifactError

pytest.importorskip("cryptography")


def run(*arguments: object) -> str:
    result = CliRunner().invoke(
        app, list(map(str, arguments)), env={"COLUMNS": "160"}, catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return result.output


def test_show_and_verify() -> None:
    shown = run("artifact", "show", V1 / "artifact")
    for text in ("digits_v1", "2 latent dimensions", "1297/250/250", "nll_nats", "version 1"):
        assert text in shown
    assert "8 files as they were written; no key" in run("artifact", "verify", V1 / "artifact")


def test_keygen_sign_verify(tmp_path: Path) -> None:
    model = copied(tmp_path / "artifact")
    said = run("artifact", "keygen", tmp_path / "me")
    assert str(tmp_path / "me.pub") in said
    assert "SHA256SUMS.sig" in run("artifact", "sign", model, "--key", tmp_path / "me.key")
    key = ("--key", tmp_path / "me.pub")
    assert "signed with the private part" in run("artifact", "verify", model, *key)
    assert "by this key" in run("artifact", "show", model, *key)
    run("sample", model, *key, "-o", tmp_path / "x.npz")
    rewrite(model, "card.md", b"forged")
    for verb in (["artifact", "verify", model], ["artifact", "show", model], ["encode", model]):
        with pytest.raises(ArtifactError, match="not by this key, or not of this content"):
            run(*verb, *key)


def test_exit_codes(tmp_path: Path) -> None:
    model = copied(tmp_path / "artifact")
    (model / "card.md").write_text("forged")
    done = vaekit("encode", "artifact", cwd=tmp_path)
    assert done.returncode == 4
    assert "was changed after it was written" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["artifact"]
