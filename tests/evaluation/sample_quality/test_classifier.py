"""The classifier learns, is the same every time, and is kept."""

import importlib
from pathlib import Path

import pytest
import torch

from vaekit.data import Dataset, DigitsSpec
from vaekit.errors import DataError
from vaekit.evaluation import Classifier, kept_classifier, train_classifier

kept = importlib.import_module("vaekit.evaluation.sample_quality.kept_classifier")


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return DigitsSpec().load()


def test_learns_digits(digits: Dataset) -> None:
    told: list[float] = []
    classifier = train_classifier(digits, "cpu", told.append, steps=150)
    rows = digits.split("test").rows(0, 250)
    assert rows.labels is not None
    right = classifier(rows.x).argmax(1) == rows.labels
    assert right.double().mean() > 0.9  # chance is 0.1; 15 presentations of each example
    assert classifier.features(rows.x).shape == (250, 64)
    assert told[-1] == 1
    assert not any(part.requires_grad for part in classifier.parameters())


def test_training_is_repeatable_and_leaves_global_noise_alone(digits: Dataset) -> None:
    torch.manual_seed(5)
    first = train_classifier(digits, "cpu", steps=3)
    after = torch.rand(1)
    torch.manual_seed(5)
    assert torch.equal(after, torch.rand(1))
    with torch.no_grad():  # as where measures run
        second = train_classifier(digits, "cpu", steps=3)
    for old, new in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(old, new)


def test_is_trained_once_and_again_where_its_file_is_damaged(
    digits: Dataset, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trained: list[Dataset] = []

    def train(dataset: Dataset, *_: object) -> Classifier:
        trained.append(dataset)
        return train_classifier(dataset, "cpu", steps=2)

    monkeypatch.setattr(kept, "train_classifier", train)
    x = digits.split("test").rows(0, 9).x
    first, second = (kept_classifier(digits, "cpu") for _ in range(2))
    assert len(trained) == 1
    assert torch.equal(first.features(x), second.features(x))
    (file,) = (tmp_path / "cache" / "classifiers").iterdir()
    assert file.name == f"{digits.fingerprint}-v1.safetensors"
    file.write_bytes(file.read_bytes()[:-9])
    assert torch.equal(kept_classifier(digits, "cpu").features(x), first.features(x))
    assert len(trained) == 2
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_other_data_has_another_file(digits: Dataset) -> None:
    other = DigitsSpec(seed=1).load()
    assert kept._path(digits) != kept._path(other)


def test_needs_labels(digits: Dataset) -> None:
    from vaekit.data import InMemorySplit

    without = InMemorySplit(digits.split("train").rows(0, 200).x)
    bare = Dataset("bare", digits.schema, {"train": without}, "here", "200")
    with pytest.raises(DataError, match="no labels"):
        train_classifier(bare, "cpu", steps=1)
