"""Attributes: carried wherever labels are, checked where data enters, part of the fingerprint."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vaekit.data import (
    ArraysSpec,
    Batches,
    BinarizeSpec,
    Dataset,
    ImagesSpec,
    InMemorySplit,
    Rows,
    ShardsSpec,
    checked_rows,
)
from vaekit.data.sets.division import cut
from vaekit.errors import DataError, SpecError
from vaekit.schema import Attribute, Schema

KNOWN = (Attribute(name="weight"), Attribute(name="kind", num_classes=3))
SCHEMA = Schema(name="t", kind="vector", event_shape=(1,), dtype="uint8", low=0, high=255)
RENAMED = (KNOWN[0].model_copy(update={"name": "other"}), KNOWN[1])
WITH = SCHEMA.model_copy(update={"attributes": KNOWN})
COUNT = 12
X = torch.arange(COUNT, dtype=torch.uint8)[:, None]
# The weight of a row is half its value; its kind is the rest by three.
VALUES = torch.stack([X[:, 0] / 2, X[:, 0] % 3], dim=1)
ROWS = Rows(X, torch.arange(COUNT), VALUES)


def dataset(schema: Schema = WITH, attributes: torch.Tensor | None = VALUES) -> Dataset:
    splits = {"train": InMemorySplit(X, attributes=attributes)}
    return Dataset("t", schema, splits, "here", "12/-/-")


def belong(rows: Rows) -> bool:
    assert rows.attributes is not None
    value = rows.x[:, 0].float()
    return torch.equal(rows.attributes, torch.stack([value / 2, value % 3], dim=1))


def test_rows_keep_them() -> None:
    parts = (ROWS[3:5], ROWS.take(torch.tensor([7, 1])), ROWS.to("cpu"))
    for rows in (*parts, Rows.join(parts)):
        assert belong(rows)
    assert Rows(X)[2:].attributes is None
    assert Rows.join([Rows(X), Rows(X)]).attributes is None


def test_splits_keep_them() -> None:
    split = InMemorySplit.of(ROWS).to("cpu")
    assert belong(split.rows(2, 9))
    assert belong(Batches(split, 5, seed=0, device="cpu")(1, 1))
    for part in cut(ROWS, 0.25, 0.25, seed=0, where="here").values():
        assert belong(part.rows(0, len(part)))
    prepared = BinarizeSpec(protocol="static").unfitted(SCHEMA).prepare(split).rows(0, COUNT)
    assert prepared.attributes is not None
    assert torch.equal(prepared.attributes, VALUES)


def test_the_fingerprint_without_attributes_is_what_it_was() -> None:
    # Written down before there were attributes.
    assert dataset(SCHEMA, None).fingerprint == (
        "619583d0ff901f6985d3d9b96ec34daa0c5aca10e34e59f7f4f1c66b05b1cf48"
    )


@pytest.mark.parametrize(
    "changed",
    [
        lambda: dataset(SCHEMA, None),
        lambda: dataset(attributes=VALUES + _one(5, 0)),
        lambda: dataset(WITH.model_copy(update={"attributes": RENAMED})),
    ],
    ids=["none", "value", "schema"],
)  # fmt: skip
def test_the_fingerprint_sees_them(changed: Callable[[], Dataset]) -> None:
    assert changed().fingerprint != dataset().fingerprint
    assert dataset().fingerprint == dataset(attributes=VALUES.clone()).fingerprint


def _one(row: int, column: int) -> torch.Tensor:
    change = torch.zeros(COUNT, 2)
    change[row, column] = 0.25
    return change


@pytest.mark.parametrize(
    ("row", "column", "value", "said"),
    [
        (4, 0, np.nan, "row 4, attribute 'weight'(.|\n)*finite numbers"),
        (4, 0, np.inf, "row 4, attribute 'weight'(.|\n)*finite numbers"),
        (4, 0, 1e300, "row 4, attribute 'weight'(.|\n)*finite numbers"),
        (2, 1, 3.0, "row 2, attribute 'kind'(.|\n)*from 0 to 2(.|\n)*3.0"),
        (2, 1, -1.0, "row 2, attribute 'kind'"),
        (2, 1, 0.5, "row 2, attribute 'kind'"),
        (2, 1, np.nan, "row 2, attribute 'kind'"),
    ],
)
def test_a_wrong_value_is_named(row: int, column: int, value: float, said: str) -> None:
    values = VALUES.double().numpy().copy()
    values[row, column] = value
    with pytest.raises(DataError, match=said):
        checked_rows(WITH, X.numpy(), None, "here", values)
    with pytest.raises(DataError, match=said):
        dataset(attributes=torch.from_numpy(values).float())


@pytest.mark.parametrize(
    ("schema", "values"),
    [(WITH, None), (SCHEMA, VALUES.numpy()), (WITH, VALUES.numpy()[:5])],
    ids=["lacking", "unasked", "few"],
)
def test_attributes_have_to_match_the_examples(schema: Schema, values: np.ndarray | None) -> None:
    with pytest.raises(DataError, match="Attributes do not match"):
        checked_rows(schema, X.numpy(), None, "here", values)


def test_a_data_set_looks_at_what_a_user_passes(unchecked_shapes: None) -> None:
    with pytest.raises(DataError, match="lacks the attributes"):
        dataset(attributes=None)
    with pytest.raises(DataError, match="do not have the form"):
        dataset(attributes=VALUES[:, :1])
    with pytest.raises(DataError, match="Attributes do not match"):
        InMemorySplit(X, attributes=VALUES[1:])


@pytest.mark.parametrize("names", [("label",), ("a", "a"), ("a=b",)])
def test_names_have_to_be_told_apart(names: tuple[str, ...]) -> None:
    tree = {**SCHEMA.model_dump(), "attributes": [{"name": name} for name in names]}
    with pytest.raises(ValueError, match=r"names of attributes|pattern"):
        Schema.model_validate(tree)


# -- where they come from ------------------------------------------------------------------------

NUMBERS = np.arange(20, dtype=np.float32)[:, None] * [1, 10]
WEIGHT, KIND = NUMBERS[:, 0] / 2, np.arange(20) % 3
ASKED = {"attributes": ["weight", "kind"], "categorical": ["kind"]}


def as_npz(folder: Path) -> Dataset:
    np.savez(folder / "x.npz", x=NUMBERS, weight=WEIGHT, kind=KIND)
    return ArraysSpec.model_validate({"path": folder / "x.npz", "key": "x", **ASKED}).load()


def as_npy(folder: Path) -> Dataset:
    np.save(folder / "x.npy", NUMBERS)
    np.save(folder / "a.npy", np.stack([WEIGHT, KIND], axis=1))
    files = {"path": folder / "x.npy", "attributes_path": folder / "a.npy"}
    return ArraysSpec.model_validate({**files, **ASKED}).load()


def as_csv(folder: Path) -> Dataset:
    rows = zip(NUMBERS[:, 0], KIND, NUMBERS[:, 1], WEIGHT, strict=True)
    lines = ["a,kind,b,weight", *(",".join(map(str, row)) for row in rows)]
    (folder / "x.csv").write_text("\n".join(lines))
    return ArraysSpec.model_validate({"path": folder / "x.csv", **ASKED}).load()


def as_parquet(folder: Path) -> Dataset:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    for index, part in enumerate((slice(0, 13), slice(13, 20))):
        columns = {"a": NUMBERS[part, 0], "kind": KIND[part], "b": NUMBERS[part, 1]}
        parquet.write_table(
            pa.table({**columns, "weight": WEIGHT[part]}), folder / f"{index}.parquet"
        )
    return ShardsSpec.model_validate({"path": str(folder / "*.parquet"), **ASKED}).load()


@pytest.mark.parametrize("form", [as_npz, as_npy, as_csv, as_parquet])
def test_files_bring_them(form: Callable[[Path], Dataset], tmp_path: Path) -> None:
    found = form(tmp_path)
    assert found.schema.attributes == KNOWN
    assert found.schema.event_shape == (2,)
    assert found.schema.columns in (None, ("a", "b"))
    for split in found.splits.values():
        rows = split.rows(0, len(split))
        assert rows.attributes is not None
        first = rows.x[:, 0].float()
        assert torch.equal(rows.attributes, torch.stack([first / 2, first % 3], dim=1))


def test_a_file_of_its_own_is_read_by_the_same_names(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=NUMBERS, weight=WEIGHT, kind=KIND)
    np.savez(tmp_path / "t.npz", x=NUMBERS[:4], weight=WEIGHT[:4], kind=np.full(4, 7))
    paths = {"path": tmp_path / "x.npz", "key": "x", "test": tmp_path / "t.npz"}
    found = ArraysSpec.model_validate({**paths, **ASKED}).load()
    assert found.schema.attributes[1].num_classes == 8  # over all files
    rows = found.split("test").rows(0, 4)
    assert rows.attributes is not None
    assert rows.attributes[:, 1].tolist() == [7] * 4


def _pictures(folder: Path, lines: list[str]) -> ImagesSpec:
    for index in range(4):
        Image.fromarray(np.full((4, 4), 50 * index, np.uint8)).save(folder / f"{index}.png")
    (folder / "known.csv").write_text("\n".join(["file,light", *lines]))
    return ImagesSpec(
        path=folder, attributes=("light",), attributes_path=folder / "known.csv",
        validation=0, test=0,
    )  # fmt: skip


def test_pictures_are_found_by_name(tmp_path: Path) -> None:
    spec = _pictures(tmp_path, ["3.png,150", "0.png,0", "2.png,100", "1.png,50"])
    rows = spec.load().split("train").rows(0, 4)
    assert rows.attributes is not None
    assert torch.equal(rows.attributes[:, 0], rows.x[:, 0, 0, 0].float())


def test_what_files_lack_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Nothing is known of a picture(.|\n)*2\.png"):
        _pictures(tmp_path, ["3.png,150", "0.png,0", "1.png,50"]).load()
    with pytest.raises(SpecError, match="do not say their attributes"):
        ImagesSpec(path=tmp_path, attributes=("light",)).load()
    np.savez(tmp_path / "x.npz", x=NUMBERS, weight=NUMBERS, kind=KIND - 0.5)
    path = {"path": tmp_path / "x.npz", "key": "x"}
    with pytest.raises(DataError, match=r"one number per example(.|\n)*weight \(20, 2\)"):
        ArraysSpec.model_validate({**path, "attributes": ["weight"]}).load()
    with pytest.raises(DataError, match=r"attribute 'kind'(.|\n)*integer"):
        ArraysSpec.model_validate({**path, "attributes": ["kind"], "categorical": ["kind"]}).load()
    with pytest.raises(DataError, match="no such array"):
        ArraysSpec.model_validate({**path, "attributes": ["wieght"]}).load()
    with pytest.raises(ValueError, match="not in attributes"):
        ArraysSpec.model_validate({**path, "categorical": ["kind"]})
