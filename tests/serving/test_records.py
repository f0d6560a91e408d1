"""Records: whole lines, off the path of requests, rotated, mended, retired, and counted."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from serving.linear_server import FEATURES, LinearRuntime, examples, serving

from vaekit.errors import ArtifactError
from vaekit.serving.engine import Engine
from vaekit.serving.exchange import Exchange
from vaekit.serving.models import Served
from vaekit.serving.question import question
from vaekit.serving.records import Recorder
from vaekit.serving.segments import RecordSettings, Segments, as_columns, mend, read
from vaekit.serving.together import answers

LINE = b'{"a":' + b"1" * 1000 + b"}\n"


class Scored:
    """Some answers, as a recorder sees them."""

    def __init__(self, folder: Path, runtime: LinearRuntime | None = None, **settings: Any) -> None:
        self.runtime = runtime or LinearRuntime()
        self.counted: dict[str, int] = {}
        self.recorder = Recorder(RecordSettings(folder=folder, **settings), self._count)

    def _count(self, what: str, n: int) -> None:
        self.counted[what] = self.counted.get(what, 0) + n

    def wait_for(self, what: str) -> None:
        until = time.monotonic() + 10
        while what not in self.counted:
            assert time.monotonic() < until, self.counted
            time.sleep(0.01)

    def score(self, x: np.ndarray, condition: Any = None) -> None:
        asked = question(self.runtime, "score", x, condition, with_codes=True)
        engine = Engine(self.runtime)
        served = Served("toy", "2", "f" * 64, engine)
        (answer,) = answers(self.runtime, [asked])
        self.recorder.witness(Exchange("r1", {}), served, asked, answer)
        engine.close()


def test_a_record_holds_what_was_said_and_never_the_input(tmp_path: Path) -> None:
    condition = {"name": "label", "num_classes": 3}
    scored = Scored(tmp_path, LinearRuntime(serving(conditions=[condition])))
    x = examples(2)
    scored.score(x, {"label": [1, 2]})
    scored.recorder.close()
    first, second = read(tmp_path)
    assert (first["request_id"], first["model"], first["version"]) == ("r1", "toy", "2")
    assert (second["row"], second["condition"]) == (1, {"label": 2})
    assert abs(first["time"] - time.time()) < 60
    expected = scored.runtime.score(x, condition={"label": [1, 2]})
    for name, values in expected.items():
        np.testing.assert_allclose(second["scores"][name], values[1], rtol=1e-6)
    np.testing.assert_allclose(
        second["z"], scored.runtime.encode(x, {"label": [1, 2]})[1], rtol=1e-6
    )
    assert "x" not in first
    assert scored.counted == {"written": 2}
    assert [p.name.split("-")[0] for p in tmp_path.iterdir()] == ["records"]
    assert all(p.stat().st_mode & 0o77 == 0 for p in tmp_path.iterdir())


def test_raw_values_are_kept_where_that_was_asked_for_but_for_masked_ones(tmp_path: Path) -> None:
    schema = {
        "name": "rows",
        "kind": "vector",
        "event_shape": [FEATURES],
        "dtype": "float32",
        "columns": ["a", "b", "c", "d"],
    }
    runtime = LinearRuntime(
        serving(schema=schema, conditions=[{"name": "label", "num_classes": 3}])
    )
    scored = Scored(tmp_path, runtime, sample_rate=1.0, masked=("b", "label"))
    x = examples(2)
    scored.score(x, {"label": 1})
    scored.recorder.close()
    kept = read(tmp_path, "samples")
    assert kept[0]["x"][1] is None
    np.testing.assert_allclose(kept[0]["x"][2:], x[0, 2:], rtol=1e-6)
    assert read(tmp_path)[0]["condition"] == {}
    assert scored.counted == {"written": 2, "samples_written": 2}


def test_a_slow_disk_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Segments, "write", lambda *_: time.sleep(0.3))
    scored = Scored(tmp_path, waiting=4)
    begun = time.monotonic()
    for _ in range(4):
        scored.score(examples(2))
    assert time.monotonic() - begun < 0.3
    assert scored.counted["dropped_queue_full"] == 4
    scored.recorder.close()
    assert scored.counted["written"] == 4


def test_a_full_disk_is_counted_and_leaves_whole_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored, whole = Scored(tmp_path), os.write
    scored.score(examples(1))
    scored.wait_for("written")
    monkeypatch.setattr("vaekit.serving.segments.os.write", lambda f, b: whole(f, b[:10]))
    scored.score(examples(3))
    scored.wait_for("dropped_disk")
    monkeypatch.undo()
    scored.score(examples(1))
    scored.recorder.close()
    assert scored.counted == {"written": 2, "dropped_disk": 3}
    assert len(read(tmp_path)) == 2


def test_segments_rotate_and_the_oldest_go(tmp_path: Path) -> None:
    settings = RecordSettings(folder=tmp_path, segment_bytes=4096, keep_bytes=9000)
    segments = Segments(settings, "records")
    for _ in range(40):
        segments.write(LINE)
    segments.close()
    sizes = [p.stat().st_size for p in tmp_path.iterdir()]
    assert max(sizes) <= 4096
    assert sum(sizes) <= 9000 + 4096
    old = tmp_path / "records-20200101T000000-1-0.jsonl"
    old.write_bytes(LINE)
    os.utime(old, (0, 0))
    segments.write(LINE)
    segments.close()
    assert not old.exists()


@pytest.mark.parametrize(
    ("left", "kept"),
    [(LINE + LINE[:50], LINE), (LINE[:50], b""), (LINE, LINE), (b"", b""),
     (LINE + b"x" * 100_000, LINE)],
)  # fmt: skip
def test_what_a_kill_cut_short_is_taken_off(tmp_path: Path, left: bytes, kept: bytes) -> None:
    path = tmp_path / "records-20260101T000000-1-0.jsonl"
    path.write_bytes(left)
    assert len(read(tmp_path)) == kept.count(b"\n")
    mend(tmp_path)
    assert path.read_bytes() == kept


def test_a_segment_that_is_being_written_is_let_alone(tmp_path: Path) -> None:
    segments = Segments(RecordSettings(folder=tmp_path), "records")
    segments.write(LINE[:50])
    mend(tmp_path)
    segments.write(LINE[50:])
    segments.close()
    assert len(read(tmp_path)) == 1


def test_no_records_and_damaged_records_are_said(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no records here"):
        read(tmp_path)
    (tmp_path / "records-1-1-0.jsonl").write_bytes(b"{}\n{\n")
    with pytest.raises(ArtifactError, match="line 2"):
        read(tmp_path)


def test_a_table_has_a_column_for_each_score_and_dimension(tmp_path: Path) -> None:
    scored = Scored(tmp_path)
    scored.score(examples(3))
    scored.recorder.close()
    records = read(tmp_path)
    del records[2]["scores"]["mse"]
    columns = as_columns(records)
    assert {"time", "request_id", "row", "model", "elbo_nats", "z_0", "z_1"} <= set(columns)
    assert columns["row"].tolist() == [0, 1, 2]
    assert columns["row"].dtype == np.int64
    assert np.isnan(columns["mse"][2])


@pytest.mark.slow
def test_every_line_is_whole_after_kills(tmp_path: Path) -> None:
    program = (
        "from pathlib import Path\n"
        "from vaekit.serving.segments import RecordSettings, Segments\n"
        f"s = Segments(RecordSettings(folder=Path({str(tmp_path)!r})), 'records')\n"
        f"line = {LINE!r}\n"
        "s.write(line)\n"
        "print('begun', flush=True)\n"
        "while True: s.write(line * 300)\n"
    )
    for _ in range(5):
        writer = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(0.05)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
    mend(tmp_path)
    for path in tmp_path.iterdir():
        content = path.read_bytes()
        assert content.endswith(b"\n")
        assert set(content.splitlines()) == {LINE[:-1]}
    assert json.loads(LINE)
