"""Whatever happens while a checkpoint is written, a complete one is there."""

import errno
import json
import os
import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import SafetensorError
from training.small_run import changed, small_run

from vaekit.errors import ArtifactError
from vaekit.training import checkpoint
from vaekit.training.checkpoint import Checkpoint, latest, load, save

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def state(value: float, size: int = 3) -> Checkpoint:
    return Checkpoint({"weight": torch.full((size,), value)}, {"value": value})


def value_in(folder: Path) -> float | None:
    """What the newest checkpoint says, its tensors and numbers agreeing."""
    path = latest(folder)
    if path is None:
        return None
    tensors, numbers = load(path)
    assert tensors["weight"].unique().tolist() == [numbers["value"]]
    return numbers["value"]


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    tensors = {
        "a": torch.randn(2, 3),
        "b": torch.arange(6).reshape(2, 3).T,  # not contiguous
        "c": torch.randn(4).bfloat16(),
        "d": torch.tensor(1.5, dtype=torch.float64),
    }
    numbers = {"inf": float("inf"), "third": 1 / 3, "none": None, "nested": {"a": [1, "ü"]}}
    path = save(tmp_path / "new" / "folder", 7, Checkpoint(tensors, numbers))
    loaded = load(path)
    assert path.name == "00000007"
    assert loaded.tensors.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert loaded.tensors[name].dtype == tensor.dtype
        assert torch.equal(loaded.tensors[name], tensor)
    assert loaded.numbers.items() >= {**numbers, "step": 7, "format_version": 1}.items()


def test_only_the_newest_is_kept_and_strangers_are_left_alone(tmp_path: Path) -> None:
    for name in ("notes", "00000001.partial", "00000001.replaced", "3.mine"):
        (tmp_path / name).mkdir()
    save(tmp_path, 1, state(1.0))
    save(tmp_path, 2, state(2.0))
    assert {path.name for path in tmp_path.iterdir()} == {"notes", "3.mine", "00000002"}


def test_the_newest_is_the_highest_step(tmp_path: Path) -> None:
    assert latest(tmp_path / "absent") is None
    assert latest(tmp_path) is None
    save(tmp_path / "a", 99999999, state(1.0)).rename(tmp_path / "99999999")
    save(tmp_path / "b", 100000000, state(2.0)).rename(tmp_path / "100000000")
    assert value_in(tmp_path) == 2.0


class Killed(BaseException):
    """Ends the program between two instructions, as far as files can tell."""


@contextmanager
def killed_at(call: int) -> Iterator[list[str]]:
    """Dies before the file operation number `call`, counted from zero."""
    done: list[str] = []

    def counted(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def replacement(*arguments: Any, **options: Any) -> Any:
            if len(done) == call:
                raise Killed
            done.append(name)
            return original(*arguments, **options)

        return replacement

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint, "save_file", counted("save_file", checkpoint.save_file))
        patch.setattr(Path, "write_text", counted("write_text", Path.write_text))
        patch.setattr(Path, "rename", counted("rename", Path.rename))
        patch.setattr(os, "fsync", counted("fsync", os.fsync))
        patch.setattr(os, "unlink", counted("unlink", os.unlink))
        patch.setattr(os, "rmdir", counted("rmdir", os.rmdir))
        yield done


@pytest.mark.parametrize("step", [1, 2], ids=["the same step again", "the next step"])
def test_killed_between_any_two_file_operations(step: int, tmp_path: Path) -> None:
    seen: set[float | None] = set()
    done: list[str] = []
    for call in range(100):
        folder = tmp_path / str(call)
        save(folder, 1, state(1.0))
        with killed_at(call) as operations:
            done = operations
            try:
                save(folder, step, state(2.0))
            except Killed:
                pass
            else:
                break
        value = value_in(folder)
        assert value in (1.0, 2.0), done
        seen.add(value)
        # What is left over does not disturb the next one.
        save(folder, 3, state(3.0))
        assert [path.name for path in folder.iterdir()] == ["00000003"]
    assert seen == {1.0, 2.0}
    assert {"save_file", "write_text", "rename", "fsync", "unlink", "rmdir"} == set(done)
    # The content is on the disk before it gets its name.
    assert done.index("rename") > done.index("fsync") > done.index("write_text")


def failing(error: Exception) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


@pytest.mark.parametrize(
    ("owner", "operation", "error"),
    [
        (checkpoint, "save_file", FULL),
        (checkpoint, "save_file", SafetensorError("I/O error: no space left on device")),
        (Path, "write_text", FULL),
        (Path, "mkdir", PermissionError(errno.EACCES, os.strerror(errno.EACCES))),
        (Path, "rename", OSError(errno.EROFS, os.strerror(errno.EROFS))),
        (os, "fsync", OSError(errno.EIO, os.strerror(errno.EIO))),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("step", [1, 2])
def test_a_failure_says_so_and_keeps_the_last(
    step: int, owner: Any, operation: str, error: Exception, tmp_path: Path
) -> None:
    save(tmp_path, 1, state(1.0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, operation, failing(error))
        with pytest.raises(ArtifactError) as raised:
            save(tmp_path, step, state(2.0))
    message = str(raised.value)
    assert "the one before is kept" in message
    assert f"{step:08d}" in message
    assert str(error) in message
    assert "run the same command to go on" in message
    assert value_in(tmp_path) == 1.0
    assert not list(tmp_path.glob("*.partial"))  # which would take the room that is lacking


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    """The kernel refuses to write past the limit, in safetensors' own code too."""
    save(tmp_path, 1, state(1.0))
    large = state(2.0, size=100_000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(ArtifactError, match="the one before is kept"):
            save(tmp_path, 2, large)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert value_in(tmp_path) == 1.0


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").touch()
    with pytest.raises(ArtifactError, match="could not be written"):
        save(tmp_path / "checkpoint", 1, state(1.0))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize("damage", [cut, flip, lambda path: path.write_bytes(b"")])
@pytest.mark.parametrize("file", [checkpoint.TENSORS, checkpoint.NUMBERS])
def test_damage_is_noticed(file: str, damage: Callable[[Path], None], tmp_path: Path) -> None:
    path = save(tmp_path, 1, state(1.0))
    damage(path / file)
    with pytest.raises(ArtifactError, match="cannot be read") as raised:
        load(path)
    assert str(path) in str(raised.value)
    assert "remove that folder" in str(raised.value)


@pytest.mark.parametrize("content", ["[]", "3", "null", "{}", '{"format_version": 1}', "\xff"])
def test_numbers_that_are_something_else(content: str, tmp_path: Path) -> None:
    path = save(tmp_path, 1, state(1.0))
    (path / checkpoint.NUMBERS).write_text(content, encoding="latin-1")
    with pytest.raises(ArtifactError):
        load(path)


def test_tensors_that_are_none(tmp_path: Path) -> None:
    path = save(tmp_path, 1, state(1.0))
    (path / checkpoint.TENSORS).write_bytes(b"x" * 100)
    edit(path / checkpoint.NUMBERS, sha256=checkpoint._digest(path / checkpoint.TENSORS))
    with pytest.raises(ArtifactError, match="SafetensorError"):
        load(path)


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_another_format(version: Any, tmp_path: Path) -> None:
    path = save(tmp_path, 1, state(1.0))
    edit(path / checkpoint.NUMBERS, format_version=version)
    with pytest.raises(ArtifactError, match="format") as raised:
        load(path)
    assert "format_version 1" in str(raised.value)
    assert "use the vaekit that wrote it" in str(raised.value)


@pytest.mark.parametrize("file", [checkpoint.TENSORS, checkpoint.NUMBERS])
def test_one_without_a_file_does_not_count(file: str, tmp_path: Path) -> None:
    path = save(tmp_path, 2, state(2.0))
    save(tmp_path / "older", 1, state(1.0)).rename(tmp_path / "00000001")
    (path / file).unlink()
    assert value_in(tmp_path) == 1.0


# -- in a run ------------------------------------------------------------------------------


def test_a_run_that_cannot_save_stops_and_can_go_on(tmp_path: Path) -> None:
    spec = changed(checkpoint_every_seconds=0.0)
    original, calls = checkpoint.save_file, iter(range(100))

    def full_at_the_sixth(*arguments: Any) -> None:
        if next(calls) == 5:
            raise FULL
        original(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint, "save_file", full_at_the_sixth)
        with pytest.raises(ArtifactError, match="run the same command to go on"):
            small_run(tmp_path, spec).run()
    assert latest(tmp_path / "checkpoint") == tmp_path / "checkpoint" / "00000004"
    assert small_run(tmp_path, spec).run().finished


def test_a_run_whose_checkpoint_is_damaged_starts_again_as_told(tmp_path: Path) -> None:
    small_run(tmp_path).run()
    path = latest(tmp_path / "checkpoint")
    assert path is not None
    flip(path / checkpoint.TENSORS)
    with pytest.raises(ArtifactError, match="remove that folder"):
        small_run(tmp_path).run()
    shutil.rmtree(path)
    assert small_run(tmp_path).run().finished


def test_a_folder_that_cannot_be_written_stops_the_run_before_it_trains(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").touch()
    training = small_run(tmp_path)
    with pytest.raises(ArtifactError, match="could not be written"):
        training.run()
    assert training.progress.step == 0
