"""Writing an artifact: whole or not at all, at every moment."""

from pathlib import Path

import pytest
from artifacts.tampering import V1, copied

from vaekit.artifacts import open_artifact, write_artifact
from vaekit.errors import ArtifactError


def files() -> dict[str, bytes]:
    paths = [path for path in (V1 / "artifact").iterdir() if path.name != "SHA256SUMS"]
    return {path.name: path.read_bytes() for path in paths}


def test_what_is_written_opens_and_nothing_is_left_beside(tmp_path: Path) -> None:
    path = write_artifact(tmp_path / "new" / "artifact", files())
    assert open_artifact(path).read("card.md") == files()["card.md"]
    write_artifact(path, {**files(), "onnx/encoder.onnx": b"graph"})
    assert open_artifact(path).read("onnx/encoder.onnx") == b"graph"
    write_artifact(path, files())
    assert not (path / "onnx").exists()
    assert [p.name for p in path.parent.iterdir()] == ["artifact"]


def test_foreign_folders_and_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").touch()
    (tmp_path / "file").touch()
    for name in ("letters", "file"):
        with pytest.raises(ArtifactError, match="something else"):
            write_artifact(tmp_path / name, files())
    assert (tmp_path / "letters" / "dear.txt").exists()
    with pytest.raises(ArtifactError, match="could not be written"):
        write_artifact(tmp_path / "file" / "artifact", files())


@pytest.mark.parametrize("failing", [1, 2], ids=["aside", "in"])
def test_a_failed_replacement_leaves_the_old_one(
    failing: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = copied(tmp_path / "artifact")
    rename, calls = Path.rename, []

    def fails_once(self: Path, target: Path) -> Path:
        calls.append(self)
        if len(calls) == failing:
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fails_once)
    with pytest.raises(ArtifactError, match="No space left"):
        write_artifact(path, {**files(), "card.md": b"new"})
    assert open_artifact(path).read("card.md") == files()["card.md"]
    assert [p.name for p in tmp_path.iterdir()] == ["artifact"]


def test_a_replacement_that_was_killed_leaves_the_old_one_to_be_found(tmp_path: Path) -> None:
    copied(tmp_path / "artifact").rename(tmp_path / "artifact.replaced")
    assert open_artifact(tmp_path / "artifact").read("card.md") == files()["card.md"]
    assert open_artifact(tmp_path).path == tmp_path / "artifact.replaced"
    write_artifact(tmp_path / "artifact", {**files(), "card.md": b"new"})
    assert open_artifact(tmp_path / "artifact").read("card.md") == b"new"
    assert [p.name for p in tmp_path.iterdir()] == ["artifact"]
