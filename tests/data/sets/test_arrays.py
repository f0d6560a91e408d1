"""Arrays of a user's own: layouts, ranges, files and shares."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vaekit.data import ArraysSpec, Dataset
from vaekit.data.sets.division import sizes_of
from vaekit.errors import DataError, VaekitError

RNG = np.random.default_rng(0)


def load(folder: Path, x: np.ndarray, **choices: object) -> Dataset:
    np.save(folder / "x.npy", x)
    undivided = {"path": folder / "x.npy", "validation": 0, "test": 0}
    return ArraysSpec.model_validate({**undivided, **choices}).load()


def rows_of(dataset: Dataset, split: str = "train") -> torch.Tensor:
    return dataset.split(split).rows(0, len(dataset.split(split))).x


@pytest.mark.parametrize(
    ("stored", "layout", "shape"),
    [
        ((9, 4, 5), "hw", None),
        ((9, 4, 5, 3), "hwc", None),
        ((9, 3, 4, 5), "chw", None),
        ((9, 20), "hw", (4, 5)),
        ((9, 60), "hwc", (4, 5, 3)),
    ],
)
def test_images_become_channels_height_width(
    tmp_path: Path, stored: tuple[int, ...], layout: str, shape: tuple[int, ...] | None
) -> None:
    x = RNG.integers(0, 256, stored, np.uint8)
    dataset = load(tmp_path, x, event="image", layout=layout, shape=shape)
    channels = 1 if layout == "hw" else 3
    assert dataset.schema.event_shape == (channels, 4, 5)
    pixels = {
        "hw": lambda: x.reshape(9, 4, 5)[7, 2, 3],
        "hwc": lambda: x.reshape(9, 4, 5, 3)[7, 2, 3, 2],
        "chw": lambda: x[7, 2, 2, 3],
    }
    assert rows_of(dataset)[7, channels - 1, 2, 3] == pixels[layout]()


@pytest.mark.parametrize(
    ("stored", "kept", "bounds"),
    [
        ("uint8", "uint8", (0, 255)),
        ("bool", "uint8", (0, 1)),
        ("uint16", "int32", (None, None)),
        ("uint32", "int64", (None, None)),
        (">i2", "int16", (None, None)),
        (">f8", "float64", (None, None)),
    ],
)
def test_types_that_tensors_lack_are_widened(
    tmp_path: Path, stored: str, kept: str, bounds: tuple[float | None, float | None]
) -> None:
    x = RNG.integers(0, 2, (5, 3)).astype(stored)
    dataset = load(tmp_path, x)
    assert dataset.schema.dtype == kept
    assert (dataset.schema.low, dataset.schema.high) == bounds
    assert rows_of(dataset).tolist() == x.astype(kept).tolist()


def test_declared_range_wins(tmp_path: Path) -> None:
    schema = load(tmp_path, np.ones((5, 3), np.uint8), high=1).schema
    assert (schema.low, schema.high) == (0, 1)


def test_files_of_their_own_and_shares(tmp_path: Path) -> None:
    x = np.arange(100)[:, None]
    np.savez(tmp_path / "test.npz", x=-x[:30], y=np.arange(30))
    np.savez(tmp_path / "x.npz", x=x, y=np.arange(100) % 3)
    choices = {"path": tmp_path / "x.npz", "key": "x", "labels": "y"}
    dataset = ArraysSpec.model_validate({**choices, "test": tmp_path / "test.npz"}).load()
    assert dataset.split_name == "90/10/30"
    assert dataset.schema.num_classes == 30  # over all files
    assert rows_of(dataset, "test").flatten().tolist() == [-i for i in range(30)]
    cut = [rows_of(dataset, name).flatten() for name in ("train", "validation")]
    assert sorted(torch.cat(cut).tolist()) == list(range(100))
    assert cut[1].tolist() != list(range(90, 100))
    labels = dataset.split("train").labels()
    assert labels is not None
    assert torch.equal(labels, cut[0] % 3)


def test_seed_decides_who_is_cut_off(tmp_path: Path) -> None:
    x = np.arange(100)[:, None]
    cuts = [rows_of(load(tmp_path, x, test=0.1, seed=s), "test").tolist() for s in (0, 0, 1)]
    assert cuts[0] == cuts[1] != cuts[2]


@given(st.integers(1, 200), st.floats(0, 0.99), st.floats(0, 0.99))
def test_sizes_are_a_division_or_refused(count: int, validation: float, test: float) -> None:
    try:
        sizes = sizes_of(count, validation, test, "x")
    except VaekitError:
        # Rounding can move each size by half an example.
        assert (
            validation + test >= 1
            or (1 - validation - test) * count < 2
            or (min(share for share in (validation, test) if share) * count <= 0.5)
        )
        return
    assert sum(sizes) == count
    assert sizes[0] >= 1
    assert [size > 0 for size in sizes[1:]] == [validation > 0, test > 0]


def test_labels_have_to_be_there_for_all_or_none(tmp_path: Path) -> None:
    np.save(tmp_path / "y.npy", np.arange(20))
    np.save(tmp_path / "t.npy", np.zeros((5, 2)))
    with pytest.raises(DataError, match=r"t\.npy"):
        load(tmp_path, np.zeros((20, 2)), labels=str(tmp_path / "y.npy"), test=tmp_path / "t.npy")


TABLE = "a,class,b\n1.5,0,2\n,1,3\n4,2,5\n"


def load_table(folder: Path, **choices: object) -> Dataset:
    (folder / "x.csv").write_text(TABLE)
    undivided = {"path": folder / "x.csv", "validation": 0, "test": 0, "missing": "nan"}
    return ArraysSpec.model_validate({**undivided, **choices}).load()


def test_a_table_names_its_features_and_its_labels(tmp_path: Path) -> None:
    dataset = load_table(tmp_path, labels="class")
    assert (dataset.schema.columns, dataset.schema.num_classes) == (("a", "b"), 3)
    expected = torch.tensor([[1.5, 2], [torch.nan, 3], [4, 5]], dtype=torch.float64)
    torch.testing.assert_close(rows_of(dataset), expected, equal_nan=True)
    labels = dataset.split("train").labels()
    assert labels is not None
    assert labels.tolist() == [0, 1, 2]


def test_another_table_is_read_by_the_names_of_the_first(tmp_path: Path) -> None:
    (tmp_path / "y.csv").write_text("b,more,a\n7,0,6\n")
    dataset = load_table(tmp_path, columns=["a", "b"], test=tmp_path / "y.csv")
    assert rows_of(dataset, "test").tolist() == [[6, 7]]


def test_labels_of_a_table_that_are_no_classes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        load_table(tmp_path, labels="a")
