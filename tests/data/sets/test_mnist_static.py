"""Larochelle's zeros and ones: those very files, or a reason."""

from pathlib import Path

import numpy as np
import pytest
import torch

from vaekit.data import BinarizeSpec, MnistStaticSpec, Rows
from vaekit.data.sets import mnist_static
from vaekit.errors import DataError, SpecError

SIZES = {"train": 6, "validation": 3, "test": 4}


PUBLISHED = dict(mnist_static.SIZES)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mnist_static, "SIZES", SIZES)


def images(name: str) -> np.ndarray:
    source = np.random.default_rng(list(SIZES).index(name))
    return source.integers(0, 2, (SIZES[name], 784))


def put(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for name, file in mnist_static.FILES.items():
        np.savetxt(folder / file, images(name), fmt="%d")
    return folder


@pytest.mark.parametrize("inside", ["mnist_static", "binarized_mnist", "."])
def test_images_are_those_of_the_files(
    inside: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / inside)
    monkeypatch.setenv("VAEKIT_DATA", str(tmp_path))
    dataset = MnistStaticSpec().load()
    assert dataset.split_name == "6/3/4"
    for name in SIZES:
        split = dataset.split(name)
        expected = torch.from_numpy(images(name)).reshape(-1, 1, 28, 28)
        assert torch.equal(split.rows(0, len(split)).x.long(), expected)
    mnist_static.check_here()


def test_nothing_is_drawn_and_the_protocol_says_whose_draw_it_was(tmp_path: Path) -> None:
    dataset = MnistStaticSpec(path=put(tmp_path / "own")).load()
    transform = BinarizeSpec(protocol="static", seed=5).build(dataset)
    assert transform.protocol == "static (Larochelle)"
    split = transform.prepare(dataset.split("test"))
    shown = transform(split.rows(0, len(split))).x
    assert torch.equal(shown.reshape(-1, 784).long(), torch.from_numpy(images("test")))
    raw = dataset.split("test").rows(0, 2).x
    assert torch.equal(transform.expected(Rows(raw)).x, raw.float())


@pytest.mark.parametrize("protocol", ["dynamic", "threshold"])
def test_coins_are_not_thrown_twice(protocol: str, tmp_path: Path) -> None:
    dataset = MnistStaticSpec(path=put(tmp_path / "own")).load()
    with pytest.raises(SpecError, match=r"thrown, once, by Larochelle[\s\S]*protocol = 'static'"):
        BinarizeSpec.model_validate({"protocol": protocol}).build(dataset)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"0 1 1\n", "3 characters, 0 of them neither"),
        (b"2 " + b"0 " * (4 * 784 - 1), "3,136 characters, 1 of them neither"),
        (b"0 1 " * (2 * 784) + b"0\n", "3,137 characters"),
        (b"", "0 characters"),
    ],
    ids=["short", "two", "long", "empty"],
)
def test_another_file_is_refused(content: bytes, told: str, tmp_path: Path) -> None:
    (put(tmp_path / "own") / mnist_static.FILES["test"]).write_bytes(content)
    with pytest.raises(DataError, match="not the file of the statically") as raised:
        MnistStaticSpec(path=tmp_path / "own").load()
    assert told in str(raised.value)
    assert "4 x 784 zeros and ones" in str(raised.value)
    assert mnist_static.FILES["test"] in str(raised.value)


def test_a_missing_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (put(tmp_path / "mnist_static") / mnist_static.FILES["validation"]).unlink()
    monkeypatch.setenv("VAEKIT_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"binarized_mnist_valid\.amat"):
        MnistStaticSpec().load()


def test_files_of_other_sizes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = put(tmp_path / "own")
    monkeypatch.setattr(mnist_static, "SIZES", PUBLISHED)
    with pytest.raises(DataError, match="50,000 x 784"):
        MnistStaticSpec(path=folder).load()


def test_absence_is_explained() -> None:
    with pytest.raises(DataError, match="is not fetched") as raised:
        MnistStaticSpec().load()
    assert "binarized_mnist_train.amat" in str(raised.value)
    assert "transform.protocol = 'static'" in str(raised.value)
    with pytest.raises(DataError, match="is not fetched"):
        mnist_static.check_here()
