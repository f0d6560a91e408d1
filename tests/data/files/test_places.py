"""Where data lies, and files that are whole or not there."""

from pathlib import Path

import pytest

from vaekit.data.files.places import cache_folder, data_folder, existing, write_whole
from vaekit.errors import DataError


def test_cache_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VAEKIT_CACHE", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.delenv("VAEKIT_CACHE")
    assert cache_folder() == tmp_path / "xdg" / "vaekit"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "vaekit"


def test_data_folder_has_to_exist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert data_folder() is None
    monkeypatch.setenv("VAEKIT_DATA", str(tmp_path))
    assert data_folder() == tmp_path
    monkeypatch.setenv("VAEKIT_DATA", str(tmp_path / "gone"))
    with pytest.raises(DataError, match="variable VAEKIT_DATA"):
        data_folder()


def test_missing_file_offers_near_names(tmp_path: Path) -> None:
    (tmp_path / "faces.npy").touch()
    assert existing(tmp_path / "faces.npy") == tmp_path / "faces.npy"
    with pytest.raises(DataError, match=r"did you mean faces\.npy\?"):
        existing(tmp_path / "face.npy")
    with pytest.raises(DataError, match=r"no folder .*nowhere either"):
        existing(tmp_path / "nowhere" / "x.npy")
    with pytest.raises(DataError, match="found:    a folder"):
        existing(tmp_path)


def test_files_are_written_whole_or_not_at_all(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "new" / "file"
    write_whole(path, b"old")

    def interrupted(self: Path, content: bytes) -> None:
        with self.open("wb") as file:
            file.write(content[:1])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]


def test_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="goes to VAEKIT_CACHE"):
        write_whole(tmp_path / "file" / "below", b"")
