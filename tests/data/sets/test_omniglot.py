"""OMNIGLOT: ink by its share of the sheet, people apart, from any of its files."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import savemat

from vaekit.data import OmniglotSpec
from vaekit.data.files.download import Unavailable
from vaekit.data.sets import omniglot
from vaekit.errors import DataError

FIRST, SECOND = omniglot.FILES["small"]
RNG = np.random.default_rng(0)
INK = {  # three characters by twenty people
    (character, drawer): RNG.random((105, 105)) < 0.2
    for character in ("Greek/character01", "Greek/character02", "Latin/character01")
    for drawer in range(1, 21)
}


def png(ink: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(~ink).save(file, "png")  # ink is black
    return file.getvalue()


def zipped(*characters: str, **other: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for (character, drawer), ink in reversed(INK.items()):  # in no useful order
            if character in characters:
                archive.writestr(f"images/{character}/0394_{drawer:02}.png", png(ink))
        archive.writestr("images/readme.txt", b"no picture")
        for name, content in other.items():
            archive.writestr(f"images/Greek/character01/1_{name}.png", content)
    return file.getvalue()


def put(folder: Path, first: bytes | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    # The two small sets share some of their alphabets.
    both = ("Greek/character01", "Greek/character02")
    (folder / FIRST).write_bytes(zipped(*both) if first is None else first)
    (folder / SECOND).write_bytes(zipped("Greek/character02", "Latin/character01"))
    return folder


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder that VAEKIT_DATA names."""
    monkeypatch.setenv("VAEKIT_DATA", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("inside", ["omniglot", "omniglot_small", "."])
def test_people_are_kept_apart_and_nothing_is_there_twice(inside: str, given: Path) -> None:
    put(given / inside)
    dataset = OmniglotSpec().load()
    assert dataset.split_name == "42/6/12 by drawer"
    assert dataset.source.count("UNKNOWN file") == 2
    assert dataset.schema.num_classes == 3
    characters = sorted({character for character, _ in INK})
    for name, people in omniglot.DRAWERS.items():
        rows = dataset.split(name).rows(0, 3 * len(people))
        expected = [
            (omniglot.shrunk(INK[character, drawer].astype(np.float32)), label)
            for label, character in enumerate(characters)
            for drawer in people
        ]
        assert rows.labels is not None
        assert rows.labels.tolist() == [label for _, label in expected]
        assert torch.equal(rows.x[:, 0], torch.from_numpy(np.stack([x for x, _ in expected])))
    everyone = [drawer for people in omniglot.DRAWERS.values() for drawer in people]
    assert sorted(everyone) == list(range(1, 21))


def test_pixel_is_the_share_of_ink_on_its_part_of_the_sheet() -> None:
    for ink in (INK["Latin/character01", 7], np.ones((105, 105), bool)):
        found = omniglot.shrunk(ink.astype(np.float32))
        # Points so fine that none is cut in two: 4 for each pixel, 15 for each new one.
        points = ink.repeat(4, 0).repeat(4, 1).reshape(28, 15, 28, 15)
        shares = points.mean((1, 3))
        assert np.array_equal(found, np.rint(255 * shares))
        assert found.mean() / 255 == pytest.approx(ink.mean(), abs=0.5 / 255)


def test_real_drawings_are_known(monkeypatch: pytest.MonkeyPatch, shared_data: Path) -> None:
    monkeypatch.setenv("VAEKIT_DATA", str(shared_data))
    dataset = OmniglotSpec().load()
    assert dataset.source.count("(known file)") == 2
    assert dataset.split_name == "3388/484/968 by drawer"
    assert dataset.schema.num_classes == 242
    x = dataset.split("train").rows(0, 3388).x
    # Strokes on an empty sheet; nearly all reach the full tone somewhere.
    assert 0.05 < x.float().mean() / 255 < 0.12
    assert (x.amax((1, 2, 3)) > 200).float().mean() > 0.95
    omniglot.check_here()


@pytest.mark.parametrize(
    ("first", "told"),
    [
        (b"<html>", "not a zip file"),
        (zipped("Greek/character01")[:-90], "zip"),
        (zipped("Greek/character01", **{"01": b"no picture"}), "cannot identify"),
        (zipped(**{"01": png(np.ones((28, 28), bool))}), "28 x 28"),
    ],
    ids=["web page", "truncated", "no picture", "another size"],
)
def test_damage_is_told(first: bytes, told: str, given: Path) -> None:
    put(given, first)
    with pytest.raises(DataError, match="damaged, or another one") as raised:
        OmniglotSpec().load()
    assert told in str(raised.value)
    assert str(given / FIRST) in str(raised.value)
    with pytest.raises(DataError, match="damaged, or another one"):
        omniglot.check_here()


def test_other_pictures_are_refused(given: Path) -> None:
    put(given, zipped(**{"21": png(np.ones((105, 105), bool))}))
    with pytest.raises(DataError, match=r"not the drawings[\s\S]*drawers 01 to 20"):
        OmniglotSpec().load()


def test_fetched_files_are_kept_if_they_are_right(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cache = tmp_path / "cache" / "omniglot"
    monkeypatch.setattr(omniglot, "download", lambda url: b"<html>")
    with pytest.raises(DataError, match="damaged"):
        OmniglotSpec().load()
    assert not cache.exists()
    served = put(tmp_path / "web")
    monkeypatch.setattr(
        omniglot, "download", lambda url: (served / url.rpartition("/")[2]).read_bytes()
    )
    assert OmniglotSpec().load().split_name == "42/6/12 by drawer"
    assert {path.name for path in cache.iterdir()} == {FIRST, SECOND}


def test_absence_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(url: str) -> bytes:
        raise Unavailable("no network")

    monkeypatch.setattr(omniglot, "download", fail)
    with pytest.raises(DataError, match=r"small1\.zip: no network"):
        OmniglotSpec().load()
    with pytest.raises(DataError, match=r"images_background\.zip: no network"):
        OmniglotSpec(source="full").load()
    with pytest.raises(DataError, match="vaekit data fetch omniglot"):
        omniglot.check_here()
    with pytest.raises(DataError, match=r"chardata\.mat is read from this machine only"):
        OmniglotSpec(source="chardata").load()


class TestChardata:
    @pytest.fixture(autouse=True)
    def small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(omniglot, "CHARDATA_SIZES", (8, 3, 5))

    def put(self, folder: Path, train: np.ndarray, test: np.ndarray) -> None:
        savemat(folder / "chardata.mat", {"data": train, "testdata": test})

    def test_a_column_goes_down_the_columns_of_an_image(self, given: Path) -> None:
        train, test = RNG.random((784, 11)), RNG.random((784, 5))
        self.put(given, train, test)
        dataset = OmniglotSpec(source="chardata").load()
        assert dataset.split_name == "8/3/5 chardata"
        shown = dataset.split("test").rows(0, 5).x
        for index in range(5):
            upright = test[:, index].reshape(28, 28, order="F").astype(np.float32)
            assert np.array_equal(shown[index, 0].numpy(), upright)
        parts = [dataset.split(name).rows(0, n).x for name, n in (("train", 8), ("validation", 3))]
        found = {x.numpy().tobytes() for x in torch.cat(parts)[:, 0]}
        columns = train.T.astype(np.float32).reshape(-1, 28, 28).swapaxes(1, 2)
        assert found == {np.ascontiguousarray(x).tobytes() for x in columns}

    def test_validation_follows_the_seed(self, given: Path) -> None:
        self.put(given, RNG.random((784, 11)), RNG.random((784, 5)))
        one, same, other = (
            OmniglotSpec(source="chardata", seed=seed).load().fingerprint for seed in (0, 0, 1)
        )
        assert one == same != other

    def test_other_files_are_refused(self, given: Path) -> None:
        self.put(given, RNG.random((784, 12)), RNG.random((784, 5)))
        with pytest.raises(DataError, match=r"not the images of Burda[\s\S]*\(784, 12\)"):
            OmniglotSpec(source="chardata").load()
        self.put(given, 2 * RNG.random((784, 11)), RNG.random((784, 5)))
        with pytest.raises(DataError, match="outside its range"):
            OmniglotSpec(source="chardata").load()
        (given / "chardata.mat").write_bytes(b"<html>")
        with pytest.raises(DataError, match="damaged, or not that of Burda"):
            OmniglotSpec(source="chardata").load()
