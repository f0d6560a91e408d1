"""What the final evaluation says, and under which protocol."""

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from linear_model import linear_model

from vaekit.data import Dataset, InMemorySplit, Rows, StandardizeSpec, Statistics, Transform
from vaekit.errors import DataError
from vaekit.evaluation import (
    AISSpec,
    EvaluationSpec,
    active_units,
    evaluate,
    importance_sampling,
    mutual_information,
    posterior_moments,
    sandwich,
)
from vaekit.likelihoods import GaussianSpec
from vaekit.models import VAE, AutoencoderSpec, Model
from vaekit.networks import MLPSpec
from vaekit.schema import Schema

TRUTH = linear_model()
PROTOCOL = {
    "split", "examples", "binarization", "seed", "data", "data_split", "data_fingerprint",
    "evaluation_seconds", "notes",
}  # fmt: skip
NUMBERS = {
    "elbo_nats", "expected_log_likelihood_nats", "kl_nats", "nll_nats",
    "nll_standard_error_nats", "nll_monte_carlo_error_nats", "elbo_standard_error_nats",
    "effective_sample_size", "num_samples", "kl_nats_per_layer", "kl_nats_per_dimension",
    "latent_dim", "active_units", "active_units_by_threshold", "hoyer_sparsity",
    "latent_mean", "latent_stddev", "compression_ratio",
    "mutual_information_nats",
    "aggregate_kl_nats", "mutual_information_examples", "mutual_information_cap_nats",
    "amortization_gap_nats", "amortization_gap_standard_error_nats",
    "amortization_gap_examples", "mse", "pca_mse", "pca_components",
}  # fmt: skip


def quick(**choices: Any) -> EvaluationSpec:
    """Without the measure that takes longest."""
    return EvaluationSpec(amortization_examples=0, **choices)


@pytest.fixture
def dataset() -> Dataset:
    x = TRUTH.draw(140).x.float()
    schema = Schema(name="linear", kind="vector", event_shape=(6,), dtype="float32")
    splits = {"train": InMemorySplit(x[:100]), "test": InMemorySplit(x[100:])}
    return Dataset("linear", schema, splits, "made here", "100/-/40")


@pytest.fixture
def transform(dataset: Dataset) -> Transform:
    """Fitted on nothing: raw values, as the truth describes them."""
    return StandardizeSpec().unfitted(dataset.schema)


@pytest.fixture
def model() -> VAE:
    return TRUTH.vae().float()


def test_numbers_are_log_p_of_the_split(model: VAE, dataset: Dataset, transform: Transform) -> None:
    results = evaluate(model, dataset, transform, quick(num_samples=50))
    exact = TRUTH.log_prob(TRUTH.draw(140).x[100:])
    # float32 weights and log-densities of ten nats: 1e-6 each, a dozen roundings.
    assert results["nll_nats"] == pytest.approx(-exact.mean().item(), abs=2e-5)
    error = exact.std().item() / math.sqrt(40)
    assert results["nll_standard_error_nats"] == pytest.approx(error, abs=2e-5)
    assert results["effective_sample_size"] == pytest.approx(50, rel=1e-4)
    assert exact.mean() < 0  # so that the sign, which pythae's get_nll has wrong, was seen
    # Its fit is sampled: the deviation of one is about 1.2 nats, 50 * 40 of them, times five.
    assert results["elbo_nats"] == pytest.approx(exact.mean().item(), abs=0.14)


def test_terms_fit_together(dataset: Dataset, transform: Transform) -> None:
    model = TRUTH.vae(0.2, 1.5).float()
    results: dict[str, Any] = evaluate(model, dataset, transform, quick(num_samples=50))
    fit, kl = results["expected_log_likelihood_nats"], results["kl_nats"]
    assert results["elbo_nats"] == pytest.approx(fit - kl, abs=1e-9)
    assert results["elbo_nats"] < -results["nll_nats"] - 0.1


def test_says_its_protocol(model: VAE, dataset: Dataset, transform: Transform) -> None:
    results = evaluate(model, dataset, transform, EvaluationSpec(num_samples=5, seed=3))
    assert set(results) == NUMBERS | PROTOCOL
    protocol = {
        "split": "test",
        "examples": 40,
        "binarization": "standardized",
        "seed": 3,
        "num_samples": 5,
        "data": "linear",
        "data_split": "100/-/40",
        "data_fingerprint": dataset.fingerprint,
    }
    assert {name: results[name] for name in protocol} == protocol


def test_split_is_the_one_asked_for(model: VAE, dataset: Dataset, transform: Transform) -> None:
    results = evaluate(model, dataset, transform, quick(split="train", num_samples=2))
    exact = TRUTH.log_prob(TRUTH.draw(140).x[:100]).mean().item()
    assert results["examples"] == 100
    assert results["nll_nats"] == pytest.approx(-exact, abs=2e-5)
    with pytest.raises(DataError, match="no split 'validation'"):
        evaluate(model, dataset, transform, quick(split="validation"))


@pytest.mark.parametrize(("examples", "measured"), [(1, 1), (7, 7), (40, 40), (999, 40)])
def test_examples_are_the_first_so_many(
    examples: int, measured: int, model: VAE, dataset: Dataset, transform: Transform
) -> None:
    told: dict[str, float] = {}
    spec = quick(examples=examples, num_samples=2)
    results = evaluate(model, dataset, transform, spec, progress=told.__setitem__)
    exact = TRUTH.log_prob(TRUTH.draw(140).x[100 : 100 + measured]).mean().item()
    assert results["examples"] == measured
    assert told == {"2 importance samples": 1}
    assert results["nll_nats"] == pytest.approx(-exact, abs=2e-5)


def test_one_example_has_no_standard_error(
    model: VAE, dataset: Dataset, transform: Transform
) -> None:
    results = evaluate(model, dataset, transform, quick(examples=1, num_samples=2))
    assert results["nll_standard_error_nats"] is None
    json.dumps(results, allow_nan=False)


def test_reads_no_more_blocks_than_it_needs(
    monkeypatch: pytest.MonkeyPatch, model: VAE, dataset: Dataset, transform: Transform
) -> None:
    read: list[int] = []

    def blocks(split: InMemorySplit, rows_per_block: int) -> Iterator[Rows]:
        for start in range(0, len(split), rows_per_block):
            read.append(start)
            yield split.rows(start, min(start + rows_per_block, len(split)))

    monkeypatch.setattr(InMemorySplit, "blocks", blocks)
    long = InMemorySplit(torch.zeros(3000, 6))
    longer = Dataset("long", dataset.schema, {"test": long}, "here", "3000")
    _ = longer.fingerprint  # reads everything, once
    read.clear()
    evaluate(model, longer, transform, quick(examples=1000, num_samples=1))
    assert set(read) == {0}


def test_same_spec_gives_the_same_numbers(dataset: Dataset, transform: Transform) -> None:
    model, spec = TRUTH.vae(stretch=1.5).float(), quick(num_samples=20)
    first, second = (evaluate(model, dataset, transform, spec) for _ in range(2))
    other = evaluate(model, dataset, transform, quick(num_samples=20, seed=1))
    assert all(first[name] == second[name] for name in NUMBERS & first.keys())
    assert first["nll_nats"] != other["nll_nats"]


def test_is_importance_sampling_of_what_is_shown(dataset: Dataset, transform: Transform) -> None:
    model = TRUTH.vae(stretch=1.5).float()
    shown = transform(dataset.split("test").rows(0, 40))
    estimate = importance_sampling(model, [shown], 20, seed=0)
    results = evaluate(model, dataset, transform, quick(num_samples=20))
    assert results["nll_nats"] == -estimate.log_likelihood.mean().item()


@pytest.mark.parametrize("fails", [False, True])
def test_gives_back_the_mode_of_every_part(
    fails: bool, model: VAE, dataset: Dataset, transform: Transform
) -> None:
    model.train()
    model.decoder.eval()  # held still by whoever trains
    modes = [module.training for module in model.modules()]
    seen: list[bool] = []

    def watch(*_: object) -> None:
        seen.extend(module.training for module in model.modules())
        if fails:
            raise RuntimeError("stop")

    model.encoder.register_forward_hook(watch)
    spec = quick(num_samples=1)
    if fails:
        with pytest.raises(RuntimeError, match="stop"):
            evaluate(model, dataset, transform, spec)
    else:
        evaluate(model, dataset, transform, spec)
    assert seen
    assert not any(seen)
    assert [module.training for module in model.modules()] == modes


def test_autoencoder_is_measured_by_its_fit(dataset: Dataset, transform: Transform) -> None:
    spec = AutoencoderSpec(
        latent_dim=2, encoder=MLPSpec(hidden=()), likelihood=GaussianSpec(scale=1.0)
    )
    model: Model = spec.build((6,), Statistics(torch.zeros(6), torch.ones(6)))
    results = evaluate(model, dataset, transform, quick())
    numbers = {"expected_log_likelihood_nats", "mse", "pca_mse", "pca_components"}
    assert set(results) == numbers | {"compression_ratio"} | PROTOCOL
    assert results["compression_ratio"] == 3.0
    fit = model.infer(transform(dataset.split("test").rows(0, 40))).log_likelihood().mean().item()
    # A mean of 40 float32 numbers of about ten nats.
    assert results["expected_log_likelihood_nats"] == pytest.approx(fit, abs=1e-5)


def test_every_number_is_the_one_its_name_says(dataset: Dataset, transform: Transform) -> None:
    model = TRUTH.vae(0.2, 1.5).float()
    shown = transform(dataset.split("test").rows(0, 40))
    estimate = importance_sampling(model, [shown], 30, seed=0)
    results = evaluate(model, dataset, transform, quick(num_samples=30))
    # Errors of 40 independent estimates: that of their mean is the root of the sum over 40.
    error = estimate.monte_carlo_error.square().sum().sqrt().item() / 40
    assert results["nll_monte_carlo_error_nats"] == pytest.approx(error, rel=1e-9)
    error = estimate.elbo.std().item() / math.sqrt(40)
    assert results["elbo_standard_error_nats"] == pytest.approx(error, rel=1e-9)
    assert results["kl_nats_per_layer"] == pytest.approx([results["kl_nats"]], rel=1e-9)
    assert sum(results["kl_nats_per_dimension"][0]) == pytest.approx(results["kl_nats"], rel=1e-9)
    (moments,) = posterior_moments(model, [shown])
    information = mutual_information(moments, 0)
    assert results["mutual_information_nats"] == pytest.approx(information, rel=1e-9)
    rest = results["kl_nats"] - information
    assert results["aggregate_kl_nats"] == pytest.approx(rest, rel=1e-9)
    assert results["mutual_information_cap_nats"] == pytest.approx(math.log(40))
    assert results["active_units_by_threshold"] == {
        name: active_units([moments], float(name))
        for name in ("0.001", "0.003", "0.01", "0.03", "0.1")
    }


def test_active_units_are_counted_at_each_threshold(
    model: VAE, dataset: Dataset, transform: Transform
) -> None:
    with torch.no_grad():
        model.get_parameter(_encoder_weight(model))[0] *= 0.1  # a variance of about 0.009
    results = evaluate(model, dataset, transform, quick(num_samples=2))
    by_threshold = results["active_units_by_threshold"]
    assert by_threshold["0.001"] == 3
    assert by_threshold["0.03"] == 2
    assert results["active_units"] == by_threshold["0.01"]


def _encoder_weight(model: VAE) -> str:
    names = [name for name, part in model.named_parameters() if part.ndim == 2]
    return next(name for name in names if name.startswith("encoder"))


def test_annealed_numbers_have_the_signs_of_their_names(
    dataset: Dataset, transform: Transform
) -> None:
    ais, model = AISSpec(examples=12, chains=4, temperatures=6), TRUTH.vae(0.2, 1.5).float()
    results = evaluate(model, dataset, transform, quick(num_samples=4, ais=ais))
    exact = -TRUTH.log_prob(TRUTH.draw(140).x[100:112]).mean().item()
    # Six temperatures leave a nat or two, and both estimates of log p(x) are from below.
    assert exact - 0.5 < results["ais_nll_nats"] < exact + 4
    assert results["ais_importance_sampled_nll_nats"] == pytest.approx(exact, abs=2)
    lower, upper = sandwich(model, 12, ais, seed=0)
    assert results["ais_sandwich_nats"] == pytest.approx((upper - lower).mean().item(), abs=1e-6)
    assert 0.1 < results["ais_sandwich_nats"] < 8
    assert (results["ais_examples"], results["ais_chains"]) == (12, 4)


def test_what_is_not_finite_is_left_out_and_named(model: VAE, transform: Transform) -> None:
    x = TRUTH.draw(140).x.float()
    x[120] = 1e30  # its square is infinite in float32
    schema = Schema(name="linear", kind="vector", event_shape=(6,), dtype="float32")
    splits = {"train": InMemorySplit(x[:100]), "test": InMemorySplit(x[100:])}
    data = Dataset("linear", schema, splits, "made here", "100/-/40")
    results = evaluate(model, data, transform, quick(num_samples=2))
    json.dumps(results, allow_nan=False)
    assert "nll_nats" not in results
    assert "not finite numbers: " in results["notes"][0]
    assert "nll_nats" in results["notes"][0]
    assert results["mutual_information_examples"] == 40


def test_no_measure_goes_beyond_the_examples_asked_for(
    model: VAE, dataset: Dataset, transform: Transform
) -> None:
    ais = AISSpec(examples=30, chains=1, temperatures=1, leapfrog_steps=1)
    spec = EvaluationSpec(examples=3, num_samples=2, amortization_examples=5, ais=ais)
    results = evaluate(model, dataset, transform, spec)
    counts = ("examples", "amortization_gap_examples", "ais_examples")
    assert [results[name] for name in (*counts, "mutual_information_examples")] == [3] * 4


def test_few_samples_of_use_are_said(dataset: Dataset, transform: Transform) -> None:
    wrong = evaluate(TRUTH.vae(2.0, 0.3).float(), dataset, transform, quick(num_samples=50))
    assert wrong["effective_sample_size"] < 5
    assert "Of 50 importance samples" in wrong["notes"][0]
    right = evaluate(TRUTH.vae().float(), dataset, transform, quick(num_samples=50))
    assert right["notes"] == []
    single = evaluate(TRUTH.vae().float(), dataset, transform, quick(num_samples=1))
    assert single["notes"] == []  # one of one is of use
