"""The commands beside a service: keys, and tables of records."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vaekit.cli.main import app
from vaekit.errors import MissingExtraError, SpecError
from vaekit.serving.keys import keys_from_file

RUNNER = CliRunner()


def test_a_key_is_shown_once_and_kept_as_a_hash(tmp_path: Path) -> None:
    file = tmp_path / "keys.txt"
    made = RUNNER.invoke(
        app, ["keys", "new", "ci", "--scope", "admin", "--per-second", "5", "--file", str(file)]
    )
    assert made.exit_code == 0, made.output
    secret = made.stdout.strip()
    assert secret.startswith("vk_")
    assert secret not in file.read_text()
    assert file.stat().st_mode & 0o77 == 0
    (key,) = keys_from_file(file)
    assert (key.name, key.scopes, key.per_second) == ("ci", frozenset({"admin"}), 5.0)
    again = RUNNER.invoke(app, ["keys", "new", "ci", "--file", str(file)])
    assert isinstance(again.exception, SpecError)
    assert RUNNER.invoke(app, ["keys", "new", "other"]).exit_code == 0
    shown = RUNNER.invoke(app, ["keys", "list", str(file)])
    assert shown.output == "ci: admin, 5 per second\n"


def test_records_become_a_table(tmp_path: Path) -> None:
    record = {"time": 1.5, "request_id": "a", "row": 0, "scores": {"mse": 0.25}, "z": [1.0, 2.0]}
    (tmp_path / "records-1-1-0.jsonl").write_text(json.dumps(record) + "\n")
    table = tmp_path / "records.csv"
    done = RUNNER.invoke(app, ["records", "to-parquet", str(tmp_path), "-o", str(table)])
    assert done.exit_code == 0, done.output
    assert table.read_text().splitlines()[0] == "time,request_id,row,mse,z_0,z_1"


RECORD = {
    "time": 1.5,
    "request_id": "a",
    "row": 0,
    "model": "toy",
    "seed": 3,
    "scores": {"mse": 0.25},
    "z": [1.0, None],
    "condition": {"label": 2},
}


def test_records_become_parquet_with_types(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    other = RECORD | {"request_id": "b", "row": 1, "scores": {"mse": None}, "condition": {}}
    lines = "".join(json.dumps(record) + "\n" for record in (RECORD, other))
    (tmp_path / "records-1-1-0.jsonl").write_text(lines + '{"cut": "sh')  # after a kill
    output = tmp_path / "new" / "records.parquet"
    done = RUNNER.invoke(app, ["records", "to-parquet", str(tmp_path), "-o", str(output)])
    assert done.exit_code == 0, done.output
    assert "2 records" in done.output
    table = parquet.read_table(output)
    types = {field.name: str(field.type) for field in table.schema}
    assert types == {
        "time": "double",
        "request_id": "string",
        "row": "int64",
        "model": "string",
        "seed": "int64",
        "mse": "double",
        "z_0": "double",
        "z_1": "double",
        "condition_label": "double",
    }
    rows = table.to_pylist()
    assert (rows[0]["request_id"], rows[0]["seed"], rows[0]["mse"]) == ("a", 3, 0.25)
    assert rows[1]["row"] == 1
    assert all(math.isnan(rows[1][name]) for name in ("mse", "z_1", "condition_label"))


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_records_are_read_where_there_is_no_torch(tmp_path: Path, ending: str) -> None:
    """In an image that only serves."""
    if ending == ".parquet":
        pytest.importorskip("pyarrow")
    (tmp_path / "records-1-1-0.jsonl").write_text(json.dumps(RECORD) + "\n")
    output = tmp_path / f"table{ending}"
    program = "import sys; sys.modules['torch'] = None; from vaekit.cli.main import main; main()"
    command = [sys.executable, "-c", program, "records", "to-parquet", str(tmp_path)]
    done = subprocess.run(
        [*command, "-o", str(output)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, output.is_file()) == (0, True), done.stderr


def test_parquet_without_its_packages_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "records-1-1-0.jsonl").write_text(json.dumps(RECORD) + "\n")
    done = RUNNER.invoke(
        app, ["records", "to-parquet", str(tmp_path), "-o", str(tmp_path / "x.parquet")]
    )
    assert isinstance(done.exception, MissingExtraError)
    assert "vaekit[parquet]" in str(done.exception)


@pytest.mark.parametrize("verb", [["serve", "x"], ["keys", "new", "x"]])
def test_without_the_extra_it_says_what_to_install(
    verb: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [n for n in sys.modules if n.startswith("vaekit.serving")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "fastapi", None)
    done = RUNNER.invoke(app, verb)
    assert isinstance(done.exception, MissingExtraError)
