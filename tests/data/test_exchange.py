"""Files of a user's: every form of the same examples, and what does not fit a schema."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vaekit.data import read_examples
from vaekit.data.files.arrays import read_array
from vaekit.errors import ArtifactError, DataError, SpecError
from vaekit.runtime import write_columns
from vaekit.schema import Schema

IMAGE = Schema(name="tiny", kind="image", event_shape=(1, 3, 4), dtype="uint8", low=0, high=255)
COLOR = Schema(name="rgb", kind="image", event_shape=(3, 3, 4), dtype="uint8", low=0, high=255)
TABLE = Schema(
    name="table",
    kind="vector",
    event_shape=(3,),
    dtype="float32",
    columns=("a", "b", "c"),
    missing="nan",
)
PIXELS = np.arange(24, dtype=np.uint8).reshape(2, 1, 3, 4) * 10
ROWS = np.array([[1.5, -2.0, np.nan], [0.0, 3.25, 7.0]], dtype=np.float32)


def npy(path: Path, x: np.ndarray) -> Path:
    np.save(path / "x.npy", x)
    return path / "x.npy"


FORMS: dict[str, Callable[[Path], Path]] = {
    "as they are": lambda folder: npy(folder, PIXELS),
    "without channel": lambda folder: npy(folder, PIXELS[:, 0]),
    "channel last": lambda folder: npy(folder, np.moveaxis(PIXELS, 1, -1)),
    "flat": lambda folder: npy(folder, PIXELS.reshape(2, 12)),
    "wider type": lambda folder: npy(folder, PIXELS.astype(np.int64)),
    "whole floats": lambda folder: npy(folder, PIXELS.astype(np.float64)),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_images_in_every_form(form: Callable[[Path], Path], tmp_path: Path) -> None:
    x = read_examples(form(tmp_path), IMAGE)
    assert x.dtype == np.uint8
    assert np.array_equal(x, PIXELS)


def test_one_example_and_pictures(tmp_path: Path) -> None:
    assert np.array_equal(read_examples(npy(tmp_path, PIXELS[0]), IMAGE), PIXELS[:1])
    for index in range(2):
        Image.fromarray(PIXELS[index, 0]).save(tmp_path / f"{index}.png")
    assert np.array_equal(read_examples(tmp_path / "1.png", IMAGE), PIXELS[1:])
    assert np.array_equal(read_examples(tmp_path, IMAGE), PIXELS)
    assert read_examples(tmp_path, COLOR).shape == (2, 3, 3, 4)


def test_tables_keep_names_and_gaps(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("c,extra,a,b\n,9,1.5,-2\n7,9,0,3.25\n")
    assert np.array_equal(read_examples(tmp_path / "x.csv", TABLE), ROWS, equal_nan=True)
    pytest.importorskip("pyarrow")
    write_columns(tmp_path / "x.parquet", {"a": ROWS[:, 0], "b": ROWS[:, 1], "c": ROWS[:, 2]})
    assert np.array_equal(read_examples(tmp_path / "x.parquet", TABLE), ROWS, equal_nan=True)


MISTAKES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "shape": (lambda folder: npy(folder, PIXELS[:, :, :2]), r"\(examples, 1, 3, 4\)"),
    "fractions": (lambda folder: npy(folder, PIXELS / 7), "values that it can hold"),
    "range": (lambda folder: npy(folder, PIXELS.astype(np.int64) + 100), "can hold"),
    "empty": (lambda folder: npy(folder, PIXELS[:0]), "no examples"),
    "missing": (lambda folder: folder / "y.npy", "no such file"),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_what_does_not_fit_is_refused(
    mistake: tuple[Callable[[Path], Path], str], tmp_path: Path
) -> None:
    make, message = mistake
    with pytest.raises(DataError, match=message):
        read_examples(make(tmp_path), IMAGE)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot be read"),
        ("a,b\n1,2\n", "add c"),
        ("a,b,c\n1,2,x\n", "line 2"),
        ("a,b,c\n1,2,3\n1\n", "line 3"),
        ("a,b,c\n", r"no examples|shape"),
    ],
)
def test_wrong_tables_are_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_examples(tmp_path / "x.csv", TABLE)


def test_picture_of_another_size_is_refused(tmp_path: Path) -> None:
    Image.fromarray(PIXELS[0, 0, :2]).save(tmp_path / "x.png")
    with pytest.raises(DataError, match="3 x 4"):
        read_examples(tmp_path / "x.png", IMAGE)


COLUMNS = {"score": np.array([1.25, -3.5]), "z": np.array([[1.0, 2.0], [3.0, 4.0]])}


def test_answers_by_ending(tmp_path: Path) -> None:
    write_columns(tmp_path / "x.npz", COLUMNS)
    assert np.array_equal(read_array(tmp_path / "x.npz", "z"), COLUMNS["z"])
    write_columns(tmp_path / "x.csv", COLUMNS)
    assert (tmp_path / "x.csv").read_text() == "score,z_0,z_1\n1.25,1.0,2.0\n-3.5,3.0,4.0\n"


def test_nothing_is_left_of_an_answer_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"ends in .npz"):
        write_columns(tmp_path / "x.txt", COLUMNS)
    (tmp_path / "file").touch()
    with pytest.raises(ArtifactError, match="could not be written"):
        write_columns(tmp_path / "file" / "x.csv", COLUMNS)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_tables_are_rounded_to_the_type_of_their_schema(tmp_path: Path) -> None:
    """0.1 is no float32; a whole number that an integer cannot hold is still refused."""
    (tmp_path / "x.csv").write_text("a,b,c\n0.1,1e-3,2\n")
    x = read_examples(tmp_path / "x.csv", TABLE)
    assert x.dtype == np.float32
    assert x[0].tolist() == [np.float32(0.1), np.float32(1e-3), 2]
    (tmp_path / "x.csv").write_text("a,b,c\n1e300,0,0\n")
    with pytest.raises(DataError, match="not a finite number"):
        read_examples(tmp_path / "x.csv", TABLE)
