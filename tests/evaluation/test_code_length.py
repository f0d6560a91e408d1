"""Bits per dimension of distributions whose code length is known."""

import math
from typing import Any

import pytest
import torch
from pydantic import TypeAdapter

from vaekit.data import (
    BinarizeSpec,
    Dataset,
    DequantizeSpec,
    GreySpec,
    InMemorySplit,
    IntegersSpec,
    Statistics,
    TransformSpec,
)
from vaekit.evaluation import EvaluationSpec, evaluate
from vaekit.models import Model, ModelSpec, VAESpec
from vaekit.numerics import generator_for
from vaekit.schema import Schema

SHAPE = (1, 4, 4)


def dataset(levels: int) -> Dataset:
    x = torch.randint(0, levels, (40, *SHAPE), generator=generator_for(0), dtype=torch.uint8)
    schema = Schema(
        name="noise", kind="image", event_shape=SHAPE, dtype="uint8", low=0, high=levels - 1
    )
    split = InMemorySplit(x)
    return Dataset("noise", schema, {"train": split, "test": split}, "made here", "40/-/40")


def ignorant(**likelihood: Any) -> Model:
    """A model whose decoder says the same whatever z is: nothing, that is zeros."""
    spec = {"kind": "vae", "latent_dim": 2, "likelihood": likelihood}
    model = (
        TypeAdapter(ModelSpec)
        .validate_python(spec)
        .build(SHAPE, Statistics(torch.full(SHAPE, 0.5), torch.full(SHAPE, 0.3)))
    )
    with torch.no_grad():
        for part in model.parameters():
            part.zero_()
    return model


def measured(model: Model, transform: TransformSpec, levels: int) -> dict[str, Any]:
    data = dataset(levels)
    spec = EvaluationSpec(num_samples=3, amortization_examples=0)
    return evaluate(model, data, transform.build(data), spec)


@pytest.mark.parametrize("protocol", ["dynamic", "threshold"])
def test_a_fair_coin_takes_one_bit(protocol: Any) -> None:
    results = measured(ignorant(kind="bernoulli"), BinarizeSpec(protocol=protocol), 2)
    assert results["bits_per_dim"] == pytest.approx(1, abs=1e-6)
    assert results["notes"] == []


@pytest.mark.parametrize("levels", [4, 16])
def test_one_of_so_many_levels_takes_their_logarithm(levels: int) -> None:
    results = measured(ignorant(kind="categorical", levels=levels), IntegersSpec(), levels)
    assert results["bits_per_dim"] == pytest.approx(math.log2(levels), abs=1e-6)


def test_a_density_pays_for_the_width_of_a_level() -> None:
    # N(0.5, s^2) on values drawn uniformly in (0, 1): E log2 p + log2 levels, by hand.
    model = ignorant(kind="gaussian", scale=0.4)
    with torch.no_grad():
        model.get_parameter("decoder.output_bias").fill_(0.5)
    data = dataset(16)
    transform = DequantizeSpec().build(data)
    spec = EvaluationSpec(num_samples=3, amortization_examples=0)
    results = evaluate(model, data, transform, spec)
    density = results["nll_nats"] / 16 / math.log(2)
    assert results["bits_per_dim"] == pytest.approx(density + 4, abs=1e-9)
    # The uniform density would take 4 bits; this one is worse, by less than a bit.
    assert 4 < results["bits_per_dim"] < 5


def test_what_is_no_code_length_has_none_and_says_why() -> None:
    grey = measured(ignorant(kind="bernoulli"), GreySpec(), 16)
    assert "bits_per_dim" not in grey
    assert "cross-entropy" in grey["notes"][0]
    density = measured(ignorant(kind="gaussian", scale=1.0), GreySpec(), 16)
    assert "bits_per_dim" not in density
    assert density["notes"] == []


def test_a_code_with_gaps_has_no_number_of_values() -> None:
    x = torch.randint(0, 2, (40, 6), generator=generator_for(0)).float()
    x[3, 2] = torch.nan
    schema = Schema.model_validate(
        {"name": "gaps", "kind": "vector", "event_shape": (6,), "dtype": "float32"}
        | {"low": 0, "high": 1, "missing": "nan"}
    )
    splits = {"train": InMemorySplit(x), "test": InMemorySplit(x)}
    data = Dataset("gaps", schema, splits, "made here", "40/-/40")
    model = VAESpec(latent_dim=2).build((6,), Statistics(torch.zeros(6), torch.ones(6)))
    spec = EvaluationSpec(num_samples=3, amortization_examples=0)
    results = evaluate(model, data, BinarizeSpec().build(data), spec)
    assert "nll_nats" in results
    assert "bits_per_dim" not in results
