"""Sample quality and disentanglement inside an evaluation."""

import importlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from vaekit.data import (
    Dataset,
    DigitsSpec,
    Factors,
    GreySpec,
    InMemorySplit,
    SpritesSpec,
    Transform,
    statistics,
)
from vaekit.evaluation import EvaluationSpec, evaluate, train_classifier
from vaekit.models import AutoencoderSpec, Model, VAESpec
from vaekit.networks import MLPSpec

SMALL = MLPSpec(hidden=(8,))
QUALITY = {
    "sample_precision", "sample_recall", "class_coverage", "class_coverage_data", "class_shares",
    "sample_quality_samples", "classifier_accuracy", "feature_network", "frechet_distance",
    "frechet_distance_floor", "sample_precision_of_train", "sample_recall_of_train",
}  # fmt: skip
SCORES = {
    "mig", "sap", "dci_disentanglement", "dci_completeness", "dci_informativeness",
    "factor_vae_score",
}  # fmt: skip


@pytest.fixture(autouse=True)
def quick_classifier(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("vaekit.evaluation.sample_quality.kept_classifier")
    monkeypatch.setattr(
        module, "train_classifier", lambda d, *_: train_classifier(d, "cpu", steps=60)
    )


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return DigitsSpec().load()


def parts(dataset: Dataset, kind: str = "vae") -> tuple[Model, Transform]:
    torch.manual_seed(0)
    transform = GreySpec().build(dataset)
    spec = VAESpec if kind == "vae" else AutoencoderSpec
    seen = statistics(dataset.split("train"), transform)
    built = spec(latent_dim=3, encoder=SMALL, decoder=SMALL)
    return built.build(dataset.schema.event_shape, seen), transform


def measured(dataset: Dataset, kind: str = "vae", **choices: Any) -> dict[str, Any]:
    spec = EvaluationSpec(num_samples=1, amortization_examples=0, **choices)
    model, transform = parts(dataset, kind)
    return evaluate(model, dataset, transform, spec)


def test_numbers_and_their_floor(digits: Dataset) -> None:
    results = measured(digits, sample_quality=300)
    assert set(results) >= QUALITY
    json.dumps(results, allow_nan=False)
    # An untrained model draws the mean of the data, whatever z is.
    assert results["frechet_distance"] > 5 * results["frechet_distance_floor"] > 0
    assert results["sample_recall"] < 0.2 < results["sample_recall_of_train"]
    assert results["class_coverage"] < 0.5 < 0.9 < results["class_coverage_data"]
    assert sum(results["class_shares"]) == pytest.approx(1)
    assert results["classifier_accuracy"] > 0.8
    assert results["sample_quality_samples"] == 300
    assert results["feature_network"] == "classifier of digits, version 1"


def test_training_examples_as_samples_are_at_the_floor(
    digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importlib.import_module("vaekit.evaluation.sample_quality.measure")

    def drawn(model: Model, transform: Transform, n: int, *_: object) -> Iterator[torch.Tensor]:
        yield digits.split("train").rows(0, n).x.float()

    monkeypatch.setattr(module, "sample_means", drawn)
    results = measured(digits, sample_quality=250)
    for key, floor in (
        ("frechet_distance", "frechet_distance_floor"),
        ("sample_precision", "sample_precision_of_train"),
        ("sample_recall", "sample_recall_of_train"),
    ):
        assert results[key] == results[floor]


def test_the_name_of_the_distance_is_that_of_mnist_for_mnist_alone(digits: Dataset) -> None:
    renamed = replace(digits, name="mnist")
    results = measured(renamed, sample_quality=100, examples=100)
    assert {"mnist_fid", "mnist_fid_floor"} <= set(results)
    assert "frechet_distance" not in results


def test_is_off_by_default_and_repeatable(digits: Dataset) -> None:
    assert not QUALITY & set(measured(digits, examples=100))
    first, second = (measured(digits, examples=100, sample_quality=120) for _ in range(2))
    other = measured(digits, examples=100, sample_quality=120, seed=1)
    assert first["frechet_distance"] == second["frechet_distance"] != other["frechet_distance"]


def test_the_training_split_has_no_floor(digits: Dataset) -> None:
    results = measured(digits, split="train", examples=200, sample_quality=100)
    assert "frechet_distance" in results
    assert "frechet_distance_floor" not in results


def without_labels(dataset: Dataset) -> Dataset:
    schema = dataset.schema.model_copy(update={"num_classes": None})
    splits = {
        name: InMemorySplit(split.rows(0, len(split)).x) for name, split in dataset.splits.items()
    }
    return Dataset("bare", schema, splits, "here", dataset.split_name)


@pytest.mark.parametrize(
    ("changes", "kind", "examples", "reason"),
    [
        (without_labels, "vae", None, "no labelled training examples"),
        (lambda d: d, "autoencoder", None, "no prior"),
        (lambda d: d, "vae", 99, "fewer than 100 examples"),
    ],
)
def test_what_is_not_defined_is_absent_and_said(
    changes: Any, kind: str, examples: int | None, reason: str, digits: Dataset
) -> None:
    results = measured(changes(digits), kind, examples=examples, sample_quality=100)
    assert not QUALITY & set(results)
    (note,) = (note for note in results["notes"] if note.startswith("Sample quality was not"))
    assert reason in note


def test_few_samples_are_refused() -> None:
    with pytest.raises(ValidationError, match="at least 100"):
        EvaluationSpec(sample_quality=99)
    with pytest.raises(ValidationError):
        EvaluationSpec(sample_quality=-1)


# -- known factors -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sprites() -> Dataset:
    return SpritesSpec(size=16, examples=1500).load()


@pytest.mark.parametrize("kind", ["vae", "autoencoder"])
def test_codes_are_scored_where_factors_are_known(kind: str, sprites: Dataset) -> None:
    results = measured(sprites, kind)
    assert set(results) >= SCORES
    assert results["factors"] == ["shape", "scale", "rotation", "x", "y"]
    assert all(0 <= results[score] <= 1 for score in SCORES)
    json.dumps(results, allow_nan=False)


def test_scores_are_those_of_the_examples_own_factors(sprites: Dataset) -> None:
    rows = sprites.split("test").rows(0, 150)
    factor = sprites.factors["test"].values[:, 3:4]
    # Pictures that are all grey of a level, which the first pixel of a code would show.
    x = (16 * factor.to(torch.uint8))[:, :, None, None].expand_as(rows.x).contiguous()
    known = {"test": Factors(("x",), factor)}
    splits = {"train": sprites.split("train"), "test": InMemorySplit.of(replace(rows, x=x))}
    right = Dataset("levels", sprites.schema, splits, "here", "1200/-/150", known)
    wrong = replace(right, factors={"test": Factors(("x",), factor.flip(0))})
    assert measured(right)["dci_informativeness"] > 0.8
    assert measured(wrong)["dci_informativeness"] < 0.3


def test_scores_can_be_left_out_and_need_examples(sprites: Dataset, digits: Dataset) -> None:
    assert not SCORES & set(measured(sprites, disentanglement=False))
    assert not SCORES & set(measured(sprites, examples=99))
    assert not SCORES & set(measured(digits))
