"""Tables in .csv files: names, missing cells, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

from vaekit.data.files.csv_table import read_csv
from vaekit.errors import DataError


def written(folder: Path, text: str) -> Path:
    file = folder / "table.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_columns_come_by_name_and_empty_cells_are_missing(tmp_path: Path) -> None:
    table = read_csv(written(tmp_path, "a,b,c\n1,,3\n\n4,5,6\n"))
    np.testing.assert_array_equal(table.values(["c", "b"]), [[3, np.nan], [6, 5]])


def test_a_mark_that_spreadsheets_write_is_no_part_of_a_name(tmp_path: Path) -> None:
    assert read_csv(written(tmp_path, "\N{BYTE ORDER MARK}a,b\n1,2\n")).header == ["a", "b"]


def test_no_rows_are_no_values(tmp_path: Path) -> None:
    assert read_csv(written(tmp_path, "a,b\n")).values(["a", "b"]).shape == (0, 2)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "an empty file"),
        ("a,b\n1,x\n", "line 2, column b"),
        ("a,b\n1,2\n1\n", "line 3, column b"),
        ("a\n1\n", "add b"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(DataError, match=named):
        read_csv(written(tmp_path, text)).values(["a", "b"])
