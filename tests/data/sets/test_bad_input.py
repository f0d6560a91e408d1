"""Everything a user can get wrong in files of their own is told, with where and what to do."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import TypeAdapter

from vaekit.data import DataSpec
from vaekit.errors import DataError, MissingExtraError, SpecError, VaekitError

parse = TypeAdapter(DataSpec).validate_python
X = np.ones((8, 3), np.float32)


def npy(x: np.ndarray, **choices: object) -> Callable[[Path], dict[str, object]]:
    def make(folder: Path) -> dict[str, object]:
        np.save(folder / "x.npy", x, allow_pickle=True)
        return {"kind": "arrays", "path": "x.npy", **choices}

    return make


def raw(name: str, content: bytes, **choices: object) -> Callable[[Path], dict[str, object]]:
    def make(folder: Path) -> dict[str, object]:
        (folder / name).write_bytes(content)
        return {"kind": "arrays", "path": name, **choices}

    return make


def at(index: tuple[int, int], value: float) -> np.ndarray:
    x = X.copy()
    x[index] = value
    return x


def truncated(name: str) -> Callable[[Path], dict[str, object]]:
    def make(folder: Path) -> dict[str, object]:
        np.savez(folder / "x.npz", x=X)
        np.save(folder / "x.npy", X)
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])
        return {"kind": "arrays", "path": name}

    return make


def flipped(folder: Path) -> dict[str, object]:
    np.savez(folder / "x.npz", x=X)
    content = bytearray((folder / "x.npz").read_bytes())
    content[200] ^= 0xFF  # in the values
    (folder / "x.npz").write_bytes(content)
    return {"kind": "arrays", "path": "x.npz"}


def several(folder: Path) -> dict[str, object]:
    np.savez(folder / "x.npz", values=X, other=X)
    return {"kind": "arrays", "path": "x.npz"}


def renamed(folder: Path) -> dict[str, object]:
    several(folder)
    (folder / "x.npz").rename(folder / "x.npy")
    return {"kind": "shards", "path": "x.npy"}


def other_type_for_test(folder: Path) -> dict[str, object]:
    np.save(folder / "t.npy", X)
    return {**npy(X.astype(int))(folder), "test": "t.npy"}


def labelled(y: np.ndarray) -> Callable[[Path], dict[str, object]]:
    def make(folder: Path) -> dict[str, object]:
        np.savez(folder / "x.npz", x=X, y=y)
        return {"kind": "arrays", "path": "x.npz", "key": "x", "labels": "y"}

    return make


def pictures(*sizes: tuple[int, int], mode: str = "L") -> Callable[[Path], dict[str, object]]:
    def make(folder: Path) -> dict[str, object]:
        for index, size in enumerate(sizes):
            Image.new(mode, size).save(folder / f"{index}.png")
        return {"kind": "images", "path": "."}

    return make


def damaged_picture(suffix: str) -> Callable[[Path], dict[str, object]]:
    def make(folder: Path) -> dict[str, object]:
        noise = np.random.default_rng(0).integers(0, 256, (40, 40), np.uint8)
        Image.fromarray(noise).save(folder / f"cut.{suffix}")
        content = (folder / f"cut.{suffix}").read_bytes()
        (folder / f"cut.{suffix}").write_bytes(content[: len(content) // 2])
        return {"kind": "images", "path": "."}

    return make


def no_picture(folder: Path) -> dict[str, object]:
    (folder / "text.png").write_text("not a picture")
    return {"kind": "images", "path": "."}


def shards(*parts: np.ndarray, **choices: object) -> Callable[[Path], dict[str, object]]:
    def make(folder: Path) -> dict[str, object]:
        for index, part in enumerate(parts):
            np.save(folder / f"{index}.npy", part)
        return {"kind": "shards", "path": "*.npy", **choices}

    return make


def cut_shard(folder: Path) -> dict[str, object]:
    choices = shards(X, X)(folder)
    content = (folder / "1.npy").read_bytes()
    (folder / "1.npy").write_bytes(content[:-5])
    return choices


def parquet_of(columns: dict[str, Any]) -> Callable[[Path], dict[str, object]]:
    def make(folder: Path) -> dict[str, object]:
        pa = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        parquet.write_table(pa.table(columns), folder / "t.parquet")
        return {"kind": "shards", "path": "t.parquet", "label_column": "class"}

    return make


IMAGE = {"event": "image"}
CASES: dict[str, tuple[Callable[[Path], dict[str, object]], type[VaekitError], list[str]]] = {
    # files
    "missing file": (raw("xs.npy", b"", path="x.npy"), DataError, ["did you mean xs.npy?"]),
    "folder for a file": (npy(X, path="."), DataError, ["found:    a folder"]),
    "wrong type": (raw("x.txt", b"1,2"), DataError, ["x.txt", ".npy or .npz", ".txt"]),
    "no suffix": (raw("x", b"1,2"), DataError, ["no suffix"]),
    "text in npy": (raw("x.npy", b"hello, world"), DataError, ["x.npy", "damaged"]),
    "empty npy": (raw("x.npy", b""), DataError, ["x.npy", "damaged"]),
    "truncated npy": (truncated("x.npy"), DataError, ["x.npy", "damaged"]),
    "truncated npz": (truncated("x.npz"), DataError, ["x.npz", "damaged"]),
    "flipped byte in npz": (flipped, DataError, ["x.npz", "CRC-32"]),
    "objects": (npy(np.array([[1], [2, 3]], object)), DataError, ["Python objects", "x.npy"]),
    # arrays in a file
    "which array": (several, DataError, ["one of values, other", "no name"]),
    "no such array": (
        lambda folder: {**several(folder), "key": "x"},
        DataError,
        ["no such array", "one of values, other", "found:    x"],
    ),
    "name in npy": (npy(X, key="x"), DataError, ["has no names", "'x'"]),
    "text values": (npy(np.array([["a"]])), DataError, ["not numbers", "<U1", "x.npy"]),
    "complex values": (npy(X.astype(complex)), DataError, ["complex128"]),
    "huge integers": (npy(X.astype(np.uint64)), DataError, ["uint64"]),
    # shapes
    "no rows": (npy(X[:0]), DataError, ["no examples", "x.npy"]),
    "no features": (npy(X[:, :0]), SpecError, ["empty side"]),
    "single row": (npy(X[0]), DataError, ["shape (rows, feature)", "shape (3,)"]),
    "single number": (npy(np.array(3.0)), DataError, ["shape ()"]),
    "flat images": (npy(X, **IMAGE), DataError, ["(rows, h, w)", "shape (8, 3)"]),
    "wrong layout": (
        npy(np.ones((8, 2, 2, 3)), event="image", layout="hw"),
        DataError,
        ["(rows, h, w)", "(8, 2, 2, 3)", "data.layout"],
    ),
    "wrong shape": (npy(X, event="image", shape=(2, 2)), DataError, ["flat rows of shape (2, 2)"]),
    "wrong columns": (npy(X, columns=("a", "b")), SpecError, ["2 columns", "[data]"]),
    # values
    "NaN": (npy(at((5, 1), np.nan)), DataError, ["index [5, 1]", "missing = 'nan'"]),
    "infinity": (npy(at((5, 2), -np.inf), missing="nan"), DataError, ["[5, 2]", "-inf"]),
    "grey above 1": (npy(at((3, 0), 1.5), low=0, high=1), DataError, ["[3, 0]", "0 to 1", "1.5"]),
    "NaN among integers": (npy(X.astype(int), missing="nan"), SpecError, ["floating-point"]),
    "upside-down range": (npy(X, low=2, high=1), SpecError, ["low = 2", "high = 1"]),
    "other type for test": (
        other_type_for_test,
        DataError,
        ["t.npy", "expected: int64", "float32"],
    ),
    # labels
    "label count": (labelled(np.arange(7)), DataError, ["8 labels", "found:    7"]),
    "negative label": (labelled(np.arange(8) - 1), DataError, ["index 0", "found:    -1"]),
    "fractional labels": (labelled(np.ones(8)), DataError, ["float64", "number the classes"]),
    "one-hot labels": (labelled(np.eye(8, dtype=int)), DataError, ["shape (8, 8)"]),
    "no labels in file": (labelled(np.arange(0)), DataError, ["no labels"]),
    # division
    "shares": (npy(X, validation=0.5, test=0.5), SpecError, ["less than 1", "0.5 and 0.5"]),
    "empty split": (npy(X, validation=0.01), DataError, ["8 examples: 7 / 0 / 1", "add examples"]),
    # pictures
    "no folder": (lambda folder: {"kind": "images", "path": "nowhere"}, DataError, ["a folder"]),
    "no pictures": (lambda folder: {"kind": "images", "path": "."}, DataError, [".png, .jpg"]),
    "several sizes": (
        pictures((4, 5), (4, 5), (6, 7)),
        DataError,
        ["2.png", "5 x 4", "0.png", "7 x 6", "data.resize"],
    ),
    "sixteen bits": (pictures((4, 4), mode="I;16"), DataError, ["0.png", "8 bits", "I;16"]),
    "truncated png": (damaged_picture("png"), DataError, ["cut.png", "cannot be read"]),
    "truncated jpeg": (damaged_picture("jpg"), DataError, ["cut.jpg", "truncated"]),
    "text for a picture": (no_picture, DataError, ["text.png", "another kind of file"]),
    # shards
    "no shards": (shards(), DataError, ["*.npy", "no such file"]),
    "empty shards": (shards(X[:0], X[:0]), DataError, ["no examples", "*.npy"]),
    "truncated shard": (cut_shard, DataError, ["1.npy", "damaged"]),
    "shards differ": (shards(X, X[:, :2]), DataError, ["1.npy", "(3,) float32, as in 0.npy"]),
    "number for a shard": (shards(np.array(3.0)), DataError, ["no examples"]),
    "npz for a shard": (
        renamed,
        DataError,
        ["x.npy", "whole .npy file"],
    ),
    "labels of shards": (
        shards(X, X, labels="0.npy"),
        DataError,
        ["2 files", "found:    1"],
    ),
    "column for npy": (shards(X, label_column="y"), SpecError, ["0.npy", "data.labels"]),
    "objects in a shard": (
        lambda folder: {
            **npy(np.array([[1], [2, 3]], object))(folder),
            "kind": "shards",
        },
        DataError,
        ["x.npy", "Python objects"],
    ),
    "text column": (parquet_of({"a": ["x"], "class": [0]}), DataError, ["'a'", "string"]),
    "no such column": (
        parquet_of({"a": [1.0]}),
        DataError,
        ["and 'class'", "found:    a", "data.label_column"],
    ),
    "labels alone": (parquet_of({"class": [0]}), DataError, ["columns of values"]),
    "uneven lists": (parquet_of({"a": [[1], [2, 3]], "class": [0, 1]}), DataError, ["list<"]),
    "records": (parquet_of({"a": [{"b": 1}], "class": [0]}), DataError, ["struct<"]),
    "text for parquet": (
        raw("t.parquet", b"hello", kind="shards"),
        DataError,
        ["t.parquet", "damaged"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_explained(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make, kind, told = CASES[case]
    monkeypatch.chdir(tmp_path)
    choices = make(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(VaekitError) as raised:
        parse(choices).load()
    message = str(raised.value)
    assert type(raised.value) is kind
    assert all(part in message for part in ["where:", *told]), message
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (at((6, 1), np.nan), ["1.npy", "index [6, 1]"]),
        (at((2, 0), 9), ["1.npy", "index [2, 0]", "0 to 5"]),
    ],
    ids=["NaN", "range"],
)
def test_bad_values_in_shards_are_found_by_the_fingerprint(
    bad: np.ndarray, told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    dataset = parse(shards(X, bad, low=0, high=5)(tmp_path)).load()
    with pytest.raises(DataError) as raised:
        _ = dataset.fingerprint
    assert all(part in str(raised.value) for part in told)


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([1, None], [0, 1]),
        ([1, 2], [0, None]),
        ([[1.0, 2.0], None], [0, 1]),
        ([[1, 2], [3, None]], [0, 1]),
    ],
    ids=["value", "label", "row", "value in a row"],
)
def test_gaps_that_cannot_be_told_are_refused(
    values: list[object], labels: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pa = pytest.importorskip("pyarrow")
    number = pa.float32() if isinstance(values[0], list) and values[1] is None else pa.int64()
    kind = pa.list_(number, 2) if isinstance(values[0], list) else number
    choices = parquet_of({"a": pa.array(values, kind), "class": labels})(tmp_path)
    with pytest.raises(DataError, match=r"t\.parquet"):
        _ = parse(choices).load().fingerprint


def test_parquet_without_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.parquet").touch()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"vaekit\[parquet\]"):
        parse({"kind": "shards", "path": str(tmp_path / "t.parquet")}).load()
