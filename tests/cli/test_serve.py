"""The commands beside a service: keys, and tables of records."""

import json
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


@pytest.mark.parametrize("verb", [["serve", "x"], ["keys", "new", "x"]])
def test_without_the_extra_it_says_what_to_install(
    verb: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [n for n in sys.modules if n.startswith("vaekit.serving")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "fastapi", None)
    done = RUNNER.invoke(app, verb)
    assert isinstance(done.exception, MissingExtraError)
