"""Standardising: the moments of the training split, gaps and constants included."""

import numpy as np
import torch

from vaekit.data import Dataset, InMemorySplit, StandardizeSpec, statistics
from vaekit.schema import Schema

RNG = np.random.default_rng(0)
X = torch.tensor(RNG.normal(size=(5000, 4)) * [1, 100, 1e-3, 0] + [0, 1e4, 5, 0.1])


def table(x: torch.Tensor, missing: str = "forbid") -> Dataset:
    schema = Schema.model_validate(
        {
            "name": "t",
            "kind": "vector",
            "event_shape": x.shape[1:],
            "dtype": str(x.dtype).removeprefix("torch."),
            "missing": missing,
        }
    )
    splits = {"train": InMemorySplit(x[:4500]), "test": InMemorySplit(x[4500:])}
    return Dataset("t", schema, splits, "here", "4500/-/500")


def test_training_split_gets_mean_0_and_std_1() -> None:
    dataset = table(X)
    found = statistics(dataset.split("train"), StandardizeSpec().build(dataset))
    # The mean is kept in float32: an error of 1e4 * 2^-24 against a deviation of 100.
    torch.testing.assert_close(found.mean[:3], torch.zeros(3), rtol=0, atol=3e-4)
    torch.testing.assert_close(found.std[:3], torch.ones(3), rtol=0, atol=1e-5)


def test_only_the_training_split_is_seen() -> None:
    changed = X.clone()
    changed[4500:] += 1000
    fitted = [StandardizeSpec().build(table(x)).state_dict() for x in (X, changed)]
    assert torch.equal(fitted[0]["mean"], fitted[1]["mean"])
    assert torch.equal(fitted[0]["std"], fitted[1]["std"])


def test_constants_are_shifted_and_not_blown_up() -> None:
    # 0.1 is no binary fraction: its computed mean is off by rounding, and so is its spread.
    transform = StandardizeSpec().build(table(X))
    assert transform.std[3] == 1
    assert transform.expectation(X)[:, 3].abs().max() < 1e-8


def test_gaps_are_skipped() -> None:
    x = X.clone()
    x[::3, 0] = torch.nan
    x[:, 3] = torch.nan
    transform = StandardizeSpec().build(table(x, missing="nan"))
    seen = x[:4500, 0][~x[:4500, 0].isnan()]
    torch.testing.assert_close(transform.mean[0], seen.mean().float())
    torch.testing.assert_close(transform.std[0], seen.std(correction=0).float())
    assert (transform.mean[3], transform.std[3]) == (0, 1)
