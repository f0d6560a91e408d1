"""Promises that every data set keeps, and one content for all the forms it can be stored in."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import TypeAdapter

from vaekit.data import Dataset, DataSpec, ShardedSplit

pa = pytest.importorskip("pyarrow")
from pyarrow import parquet  # noqa: E402

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (60, 6, 5), np.uint8)
TABLE = RNG.normal(size=(60, 3)).astype(np.float32)
LABELS = np.arange(60) % 4
parse = TypeAdapter(DataSpec)


def arrays(folder: Path) -> dict[str, object]:
    np.savez(folder / "set.npz", x=IMAGES, y=LABELS)
    path = str(folder / "set.npz")
    return {"kind": "arrays", "path": path, "key": "x", "labels": "y", "event": "image"}


def table_with_gaps(folder: Path) -> dict[str, object]:
    gaps = np.where(RNG.random(TABLE.shape) < 0.2, np.nan, TABLE)
    np.save(folder / "gaps.npy", gaps)
    return {"kind": "arrays", "path": str(folder / "gaps.npy"), "missing": "nan", "test": 0}


def images(folder: Path) -> dict[str, object]:
    for index, (image, label) in enumerate(zip(IMAGES, LABELS, strict=True)):
        (folder / "images" / f"class {label}").mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / "images" / f"class {label}" / f"{index:02}.png")
    return {"kind": "images", "path": str(folder / "images"), "labels": True}


def npy_shards(folder: Path) -> dict[str, object]:
    for index in range(3):
        part = slice(20 * index, 20 * index + 20)
        np.save(folder / f"x{index}.npy", IMAGES[part])
        np.save(folder / f"y{index}.npy", LABELS[part])
    paths = {"path": str(folder / "x[01].npy"), "validation": [str(folder / "x2.npy")]}
    labels = {"labels": str(folder / "y[01].npy"), "validation_labels": str(folder / "y2.npy")}
    return {"kind": "shards", "event": "image", **paths, **labels}


def parquet_shards(folder: Path) -> dict[str, object]:
    for index in range(2):
        part = slice(30 * index, 30 * index + 30)
        columns = {name: TABLE[part, i] for i, name in enumerate("abc")}
        parquet.write_table(
            pa.table({**columns, "class": LABELS[part]}), folder / f"{index}.parquet"
        )
    return {"kind": "shards", "path": str(folder / "*.parquet"), "label_column": "class"}


MAKERS = (arrays, table_with_gaps, images, npy_shards, parquet_shards)
REAL: dict[str, dict[str, object]] = {
    "digits": {"kind": "digits"},
    "sprites": {"kind": "sprites", "examples": 300},
    "frey_faces": {"kind": "frey_faces"},
    "omniglot": {"kind": "omniglot"},
    "sprite900": {"kind": "fashion_mnist", "source": "sprite900"},
}


@pytest.fixture(params=[*MAKERS, *REAL], ids=lambda p: p if isinstance(p, str) else p.__name__)
def choices(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, object]:
    if request.param not in REAL:
        return request.param(tmp_path)
    if request.param not in ("digits", "sprites"):
        shared_data = request.getfixturevalue("shared_data")
        monkeypatch.setenv("VAEKIT_DATA", str(shared_data))
    return REAL[request.param]


@pytest.fixture
def dataset(choices: dict[str, object]) -> Dataset:
    return parse.validate_python(choices).load()


def test_every_row_fits_the_schema(dataset: Dataset) -> None:
    schema = dataset.schema
    for name, split in dataset.splits.items():
        rows = split.rows(0, len(split))
        schema.check(rows.x.numpy(), name)
        assert (rows.labels is not None) == split.has_labels == (schema.num_classes is not None)
        if rows.labels is not None and schema.num_classes is not None:
            assert set(rows.labels.tolist()) <= set(range(schema.num_classes))


def test_values_keep_their_compact_type(dataset: Dataset) -> None:
    dtype = getattr(torch, dataset.schema.dtype)
    assert dataset.split("train").rows(0, 2).x.dtype == dtype
    assert (dtype == torch.uint8) == (dataset.schema.kind == "image")


def test_division_is_named_by_its_sizes(dataset: Dataset) -> None:
    sizes = dataset.split_name.split()[0].split("/")
    names = ("train", "validation", "test")
    assert sizes == [str(len(dataset.splits[n])) if n in dataset.splits else "-" for n in names]


def test_loading_again_gives_the_same(dataset: Dataset, choices: dict[str, object]) -> None:
    again = parse.validate_json(parse.dump_json(parse.validate_python(choices))).load()
    assert again.fingerprint == dataset.fingerprint
    assert again.schema == dataset.schema


def test_misspelt_choices_are_refused(choices: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="splitt"):
        parse.validate_python({**choices, "splitt": "1/1/1"})


def as_npy(folder: Path, x: np.ndarray) -> dict[str, object]:
    np.save(folder / "x.npy", x)
    np.save(folder / "y.npy", LABELS)
    return {"kind": "arrays", "path": folder / "x.npy", "labels": str(folder / "y.npy")}


def as_big_endian_npz(folder: Path, x: np.ndarray) -> dict[str, object]:
    np.savez_compressed(folder / "other.npz", data=x.astype(">f4"), classes=LABELS.astype(np.uint8))
    return {"kind": "arrays", "path": folder / "other.npz", "key": "data", "labels": "classes"}


def as_npy_shards(folder: Path, x: np.ndarray, *edges: int) -> dict[str, object]:
    for index, rows in enumerate(np.split(np.arange(60), edges)):
        np.save(folder / f"x{index}.npy", np.asfortranarray(x[rows]))
        np.save(folder / f"y{index}.npy", LABELS[rows])
    return {"kind": "shards", "path": str(folder / "x?.npy"), "labels": str(folder / "y?.npy")}


def as_uneven_shards(folder: Path, x: np.ndarray) -> dict[str, object]:
    return as_npy_shards(folder, x, 1, 2, 2, 50)  # one of them empty


def as_parquet_lists(folder: Path, x: np.ndarray) -> dict[str, object]:
    rows = pa.FixedSizeListArray.from_arrays(pa.array(x.ravel()), 3)
    table = pa.table({"x": rows, "class": LABELS})
    parquet.write_table(table.slice(0, 41), folder / "0.parquet", row_group_size=7)
    parquet.write_table(table.slice(41), folder / "1.parquet")
    return {"kind": "shards", "path": str(folder / "*.parquet"), "label_column": "class"}


FORMS = (as_npy, as_big_endian_npz, as_npy_shards, as_uneven_shards, as_parquet_lists)


def fingerprint(
    form: Callable[[Path, np.ndarray], dict[str, object]], folder: Path, x: np.ndarray
) -> str:
    folder.mkdir()
    choices = form(folder, x)
    undivided = {"validation": 0, "test": 0} if choices["kind"] == "arrays" else {}
    return parse.validate_python({**choices, **undivided}).load().fingerprint


@pytest.mark.parametrize("form", FORMS)
def test_content_has_one_fingerprint_in_every_form(
    form: Callable[[Path, np.ndarray], dict[str, object]], tmp_path: Path
) -> None:
    reference = fingerprint(as_npy, tmp_path / "reference", TABLE)
    assert fingerprint(form, tmp_path / "same", TABLE) == reference
    changed = TABLE.copy()
    changed[59, 2] = np.nextafter(changed[59, 2], 9)
    assert fingerprint(form, tmp_path / "changed", changed) != reference


def test_shards_are_streamed(tmp_path: Path) -> None:
    dataset = parse.validate_python(npy_shards(tmp_path)).load()
    split = dataset.split("train")
    assert isinstance(split, ShardedSplit)
    assert split.shard_sizes == (20, 20)
    assert (split.rows(15, 25).x[:, 0].numpy() == IMAGES[15:25]).all()


def test_parquet_keeps_names_and_gaps(tmp_path: Path) -> None:
    columns = {"age": pa.array([1.0, None, 3.0]), "size": pa.array([1, 2, 3], pa.int32())}
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    choices = {"kind": "shards", "path": str(tmp_path / "t.parquet"), "missing": "nan"}
    dataset = parse.validate_python(choices).load()
    assert dataset.schema.columns == ("age", "size")
    x = dataset.split("train").rows(0, 3).x
    assert x.dtype == torch.float64
    assert x.isnan().tolist() == [[False, False], [True, False], [False, False]]
