"""MNIST and Fashion-MNIST: the published bytes and nothing else."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch

from vaekit.data import FashionMnistSpec, MnistSpec
from vaekit.data.files.idx import idx_bytes
from vaekit.data.files.mnist_wheel import mnist_from_wheel
from vaekit.data.sets import mnist
from vaekit.data.sets.fashion_mnist import FASHION_MNIST
from vaekit.data.sets.idx_release import IdxRelease, load_release
from vaekit.data.sets.mnist import MNIST
from vaekit.errors import DataError


@pytest.fixture
def blank() -> IdxRelease:
    """A release of the right form: images that hold their own number."""
    files = {}
    for name, count in (("train", 60_000), ("t10k", 10_000)):
        images = np.zeros((count, 28, 28), np.uint8)
        images[:, 0, :4] = np.arange(count, dtype=np.uint32)[:, None].view(np.uint8)
        files[f"{name}-images-idx3-ubyte"] = idx_bytes(images)
        files[f"{name}-labels-idx1-ubyte"] = idx_bytes((np.arange(count) % 10).astype(np.uint8))
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return IdxRelease("blank", "sha256", digests, (), ("memory", lambda: files))


def test_validation_is_the_end_of_the_training_file(blank: IdxRelease) -> None:
    dataset = load_release(blank, "50000/10000/10000")
    assert {name: len(split) for name, split in dataset.splits.items()} == {
        "train": 50_000,
        "validation": 10_000,
        "test": 10_000,
    }
    for name, first in (("train", 0), ("validation", 50_000), ("test", 0)):
        rows = dataset.split(name).rows(7, 8)
        assert rows.x.dtype == torch.uint8
        assert rows.x[0, 0, 0, :4].view(torch.int32).item() == first + 7
        assert rows.labels is not None
        assert rows.labels.item() == 7


def test_all_may_be_trained_on(blank: IdxRelease) -> None:
    dataset = load_release(blank, "60000/-/10000")
    assert set(dataset.splits) == {"train", "test"}
    assert len(dataset.split("train")) == 60_000
    assert dataset.split_name == "60000/-/10000"


def test_mnist_is_made_of_its_sources(monkeypatch: pytest.MonkeyPatch, blank: IdxRelease) -> None:
    monkeypatch.setattr(mnist, "MNIST", blank)
    assert MnistSpec(split="60000/-/10000").load().source == "memory"
    assert MNIST.last_resort is not None
    assert MNIST.last_resort[1] is mnist_from_wheel


def test_fashion_is_not_mnist() -> None:
    # Their files have the same names: only the digests tell them apart.
    assert FASHION_MNIST.digests.keys() == MNIST.digests.keys()
    assert FASHION_MNIST.last_resort is None


@pytest.mark.network
def test_real_mnist_is_fetched_and_checked() -> None:
    dataset = MnistSpec().load()
    assert dataset.fingerprint == (
        "f38699eb6f6bf6f28b2e38213bc10089e900a0f8ca68144f1db4597d503bab4f"
    )
    labels = dataset.split("test").labels()
    assert labels is not None
    assert labels[:5].tolist() == [7, 2, 1, 0, 4]


@pytest.mark.network
@pytest.mark.slow
def test_wheel_holds_the_published_bytes() -> None:
    for name, content in mnist_from_wheel().items():
        assert hashlib.sha256(content).hexdigest() == MNIST.digests[name]


def test_sprite_is_asked_for_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shared_data: Path
) -> None:
    monkeypatch.setenv("VAEKIT_DATA", str(shared_data))
    dataset = FashionMnistSpec(source="sprite900").load()
    assert dataset.split_name == "700/100/100"
    labels = dataset.split("test").labels()
    assert labels is not None
    assert len(labels.unique()) == 10  # shuffled: the file is in the order of classes
    assert "900 images only" in dataset.source


def test_sprite_is_checked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="VAEKIT_DATA only"):
        FashionMnistSpec(source="sprite900").load()
    monkeypatch.setenv("VAEKIT_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"fashion900\.npz"):
        FashionMnistSpec(source="sprite900").load()
    np.savez(tmp_path / "fashion900.npz", x=np.zeros((900, 28, 28), np.uint8), y=np.zeros(900))
    with pytest.raises(DataError, match="not the known file"):
        FashionMnistSpec(source="sprite900").load()
