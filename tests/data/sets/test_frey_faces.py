"""Frey Faces: in the order of the video, from any of its files."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import savemat

from vaekit.data import FreyFacesSpec
from vaekit.data.files.download import Unavailable
from vaekit.data.sets import frey_faces
from vaekit.errors import DataError

FRAMES = np.random.default_rng(0).integers(0, 256, (1965, 28, 20), np.uint8)


def mat(frames: np.ndarray = FRAMES) -> bytes:
    file = io.BytesIO()
    savemat(file, {"ff": frames.reshape(len(frames), -1).T})
    return file.getvalue()


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder that VAEKIT_DATA names."""
    monkeypatch.setenv("VAEKIT_DATA", str(tmp_path))
    return tmp_path


def test_frames_keep_the_order_of_the_video(given: Path) -> None:
    np.savez(given / "freyfaces.npz", x=FRAMES)
    dataset = FreyFacesSpec().load()
    assert dataset.split_name == "1565/200/200 chronological"
    assert "UNKNOWN pixels" in dataset.source
    for name, start in (("train", 0), ("validation", 1565), ("test", 1765)):
        rows = dataset.split(name).rows(0, 200)
        assert torch.equal(rows.x, torch.from_numpy(FRAMES[start : start + 200, None]))


def test_shuffled_frames_are_the_same_frames(given: Path) -> None:
    (given / "frey_rawface.mat").write_bytes(mat())
    dataset = FreyFacesSpec(order="shuffled").load()
    assert dataset.split_name == "1565/200/200 shuffled"
    found = torch.cat([rows.x for s in dataset.splits.values() for rows in s.blocks(500)])
    assert not torch.equal(found[:, 0], torch.from_numpy(FRAMES))
    assert {x.tobytes() for x in found[:, 0].numpy()} == {x.tobytes() for x in FRAMES}


def test_files_of_either_kind_are_alike(given: Path) -> None:
    (given / "frey_rawface.mat").write_bytes(mat())
    from_mat = FreyFacesSpec().load()
    np.savez(given / "freyfaces.npz", x=FRAMES)
    from_npz = FreyFacesSpec().load()
    assert from_npz.source != from_mat.source
    assert from_npz.fingerprint == from_mat.fingerprint


def test_real_frames_are_known(monkeypatch: pytest.MonkeyPatch, shared_data: Path) -> None:
    monkeypatch.setenv("VAEKIT_DATA", str(shared_data))
    dataset = FreyFacesSpec().load()
    assert ", known pixels" in dataset.source
    x = dataset.split("train").rows(0, 1565).x.float()
    # Neighbours in a video are alike: closer than the distance of two frames taken at random.
    assert (x[1:] - x[:-1]).square().mean() < 0.5 * (x - x.roll(700, 0)).square().mean()


def test_fetched_frames_are_kept_if_they_are_right(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept = tmp_path / "cache" / "frey_faces" / "frey_rawface.mat"
    for content, told in (
        (b"<html>", "damaged, or not that of Frey Faces"),
        (mat()[:-99], "damaged, or not that of Frey Faces"),
        (mat(FRAMES[:9]), "not the Frey Faces"),
    ):
        monkeypatch.setattr(frey_faces, "download", lambda url, content=content: content)
        with pytest.raises(DataError, match=told):
            FreyFacesSpec().load()
        assert not kept.exists()
    monkeypatch.setattr(frey_faces, "download", lambda url: mat())
    assert FreyFacesSpec().load().source.startswith(str(kept))
    frey_faces.check_here()


def test_absence_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(url: str) -> bytes:
        raise Unavailable("no network")

    monkeypatch.setattr(frey_faces, "download", fail)
    with pytest.raises(DataError, match=r"frey_rawface\.mat: no network"):
        FreyFacesSpec().load()
    with pytest.raises(DataError, match="vaekit data fetch frey_faces"):
        frey_faces.check_here()
