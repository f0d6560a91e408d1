"""The log says what happened once: no line is missing, doubled or half."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
from training.small_run import STEPS_PER_EPOCH, TOTAL_STEPS, changed, small_run

from vaekit.errors import ArtifactError, DivergenceError
from vaekit.training import MetricsFile, Plan, Record, latest_checkpoint, metrics_file, read_metrics


def plan(first_step: int) -> Plan:
    return Plan(TOTAL_STEPS, first_step, STEPS_PER_EPOCH, 7)


def written(path: Path, steps: list[int], rest: str = "") -> MetricsFile:
    path.write_text("".join(json.dumps({"step": step}) + "\n" for step in steps) + rest)
    return MetricsFile(path)


def steps_in(path: Path) -> list[Any]:
    return [record["step"] for record in read_metrics(path)]


def test_what_is_logged_is_read(tmp_path: Path) -> None:
    log = MetricsFile(tmp_path / "m.jsonl")
    records: list[Record] = [
        {"step": 1, "loss_nats": 1 / 3, "kind": "ü"},
        {"step": 2, "loss_nats": -1e300},
    ]
    log.started(plan(0))
    assert read_metrics(log.path) == []
    for number, record in enumerate(records, start=1):
        log.logged(record)
        assert read_metrics(log.path) == records[:number]  # at once: somebody may be watching


@pytest.mark.parametrize(("first", "kept"), [(0, []), (3, [1, 2, 3]), (4, [1, 2, 3, 4, 4])])
def test_cut_back_to_the_checkpoint(first: int, kept: list[int], tmp_path: Path) -> None:
    log = written(tmp_path / "m.jsonl", [1, 2, 3, 4, 4, 7])
    log.started(plan(first))
    assert steps_in(log.path) == kept
    assert [path.name for path in tmp_path.iterdir()] == ["m.jsonl"]


@pytest.mark.parametrize("rest", ['{"step": 3', '{"step": 3}', "{", "\x00\x00"])
def test_half_a_last_line_is_left_out(rest: str, tmp_path: Path) -> None:
    log = written(tmp_path / "m.jsonl", [1, 2], rest)
    assert steps_in(log.path) == [1, 2]
    log.started(plan(9))
    log.logged({"step": 3})
    assert steps_in(log.path) == [1, 2, 3]


@pytest.mark.parametrize("line", ["{", "[]", "3", "", '{"loss": 1}', '{"step": "x"}', "\x00"])
def test_another_damaged_line_is_named(line: str, tmp_path: Path) -> None:
    log = written(tmp_path / "m.jsonl", [1, 2], line + '\n{"step": 4}\n')
    content = log.path.read_bytes()
    with pytest.raises(ArtifactError, match="damaged") as raised:
        log.started(plan(9))
    assert f"{log.path}, line 3" in str(raised.value)
    assert "remove that line" in str(raised.value)
    assert log.path.read_bytes() == content


def test_no_log_is_an_empty_log(tmp_path: Path) -> None:
    assert read_metrics(tmp_path / "absent.jsonl") == []


def test_a_log_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="could not be written") as raised:
        MetricsFile(tmp_path / "absent" / "m.jsonl").started(plan(0))
    assert "run the same command to go on" in str(raised.value)


def test_dying_while_it_is_cut_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = written(tmp_path / "m.jsonl", [1, 2, 3])

    def die(_: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", die)
        with pytest.raises(KeyboardInterrupt):
            log.started(plan(2))
    assert steps_in(log.path) == [1, 2, 3]
    log.started(plan(2))
    assert steps_in(log.path) == [1, 2]


# -- in a run ------------------------------------------------------------------------------


def test_the_lines_of_a_run(tmp_path: Path) -> None:
    small_run(tmp_path).run()
    lines = read_metrics(tmp_path / "metrics.jsonl")
    assert [line["step"] for line in lines if line["kind"] == "training"] == [
        4, 6, 8, 12, 16, 18,
    ]  # fmt: skip
    assert [line["step"] for line in lines if line["kind"] == "validation"] == [6, 12, 18]
    assert [line["examples_seen"] for line in lines] == [7 * int(line["step"]) for line in lines]
    assert [line["epoch"] for line in lines] == [int(line["step"]) / 6 for line in lines]


@pytest.mark.parametrize("failing_write", [0, 1, 5, 9])
def test_a_failed_write_stops_the_run(
    failing_write: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = changed(checkpoint_every_seconds=0.0)
    small_run(tmp_path / "whole", spec).run()
    original, calls = metrics_file._write, iter(range(1000))

    def write(*arguments: Any, **options: Any) -> None:
        if next(calls) == failing_write:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        original(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(metrics_file, "_write", write)
        with pytest.raises(ArtifactError, match="log of the run could not be written"):
            small_run(tmp_path / "parts", spec).run()
    small_run(tmp_path / "parts", spec).run()
    whole, parts = (read_metrics(tmp_path / name / "metrics.jsonl") for name in ("whole", "parts"))
    for line in (*whole, *parts):
        del line["seconds"]
    assert parts == whole


def test_no_checkpoint_is_ahead_of_the_log(tmp_path: Path) -> None:
    """The log of a state is on the disk before the state is."""
    order: list[str] = []
    original, rename = os.fsync, Path.rename

    def fsync(descriptor: int) -> None:
        order.append(Path(f"/proc/self/fd/{descriptor}").resolve().name)
        original(descriptor)

    def renamed(self: Path, target: Path) -> Path:
        order.append(f"-> {target.name}")
        return rename(self, target)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc to tell which file is flushed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        patch.setattr(Path, "rename", renamed)
        small_run(tmp_path).run()
    named = latest_checkpoint(tmp_path / "checkpoint")
    assert named is not None
    end = order.index(f"-> {named.name}")
    begin = max(i for i, name in enumerate(order[:end]) if name.startswith("-> "))
    assert "metrics.jsonl" in order[begin:end]


def test_a_run_that_diverges_says_so_and_forgets_it_when_it_goes_on(tmp_path: Path) -> None:
    log = MetricsFile(tmp_path / "m.jsonl")
    log.started(plan(0))
    log.logged({"kind": "training", "step": 1})
    log.stepped(3, {})
    try:
        raise DivergenceError("the loss ran away")
    except DivergenceError:
        log.finished()
    record = read_metrics(log.path)[-1]
    assert (record["kind"], record["step"]) == ("divergence", 3)
    assert record["problem"] == "the loss ran away"
    assert record["epoch"] == 3 / STEPS_PER_EPOCH
    log.started(plan(3))
    assert steps_in(log.path) == [1]


def test_a_run_that_ends_well_adds_nothing(tmp_path: Path) -> None:
    log = MetricsFile(tmp_path / "m.jsonl")
    log.started(plan(0))
    log.finished()
    assert read_metrics(log.path) == []
