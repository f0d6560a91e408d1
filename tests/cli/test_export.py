"""`vaekit export` in process: the table, the words, and the exit codes of what cannot be done."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from artifacts.tampering import V1, V1_ONNX, copied
from cli.test_artifact import run
from cli.test_train import vaekit

from vaekit.artifacts import Exported, open_artifact
from vaekit.export import Artifact


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> Iterator[Exported]:
    """What exporting the committed artifact gave, without doing it again."""
    found = open_artifact(V1_ONNX).exported
    assert found is not None
    asked: list[object] = []

    def export_onnx(
        artifact: Artifact, int8: bool, prune: float | None, examples: int | None
    ) -> Exported:
        asked.extend((int8, prune, examples))
        return found

    monkeypatch.setattr("vaekit.export.export_onnx", export_onnx)
    yield found
    assert asked == [True, 0.5, 250]


def test_a_line_for_every_variant(exported: Exported, tmp_path: Path) -> None:
    model = copied(tmp_path / "artifact")
    (model / "SHA256SUMS.sig").write_bytes(b"by somebody")
    said = run("export", model, "--int8", "--prune", 0.5, "--examples", 250)
    for text in ("fp32", "int8", "pruned50", "error to torch", "(rounded)", "either way"):
        assert text in said
    assert "elbo_nats" in said
    for text in ("250 examples of the validation split", "takes 2 bytes", "raw 64", "zlib", "KL"):
        assert text in said
    assert f"Written: {model / 'onnx'}" in said
    assert "vaekit artifact sign" in said


def test_an_artifact_tells_of_its_graphs() -> None:
    assert "fp32 (54 KiB), int8 (45 KiB)" in run("artifact", "show", V1_ONNX)
    assert "none: vaekit export" in run("artifact", "show", V1 / "artifact")


def test_exit_codes(tmp_path: Path) -> None:
    copied(tmp_path / "artifact")
    for options, code, told in (
        (("--prune", "2"), 2, "between 0 and 1"),
        (("--examples", "0"), 2, "one or more"),
    ):
        done = vaekit("export", "artifact", *options, cwd=tmp_path)
        assert done.returncode == code
        assert told in done.stderr
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "artifact" / "onnx").exists()
