"""What is measured of models whose codes are discrete, and what is left out."""

import pytest
from export.trained_models import digits

from vaekit.errors import SpecError
from vaekit.evaluation import AISSpec, EvaluationSpec, Results, evaluate

SPEC = EvaluationSpec(num_samples=20, examples=40)
UNDEFINED = {
    "active_units",
    "mutual_information_nats",
    "aggregate_kl_nats",
    "amortization_gap_nats",
    "pca_mse",
}
OF_SAMPLES = {"nll_nats", "effective_sample_size", "num_samples", "nll_monte_carlo_error_nats"}


def measured(kind: str, spec: EvaluationSpec = SPEC) -> Results:
    made = digits(kind)
    return evaluate(made.model, made.dataset, made.transform, spec)


def test_a_categorical_vae() -> None:
    results = measured("categorical")
    assert set(results) >= OF_SAMPLES
    assert not UNDEFINED & set(results)
    assert -results["nll_nats"] >= results["elbo_nats"]
    assert results["elbo_nats"] == pytest.approx(
        results["expected_log_likelihood_nats"] - results["kl_nats"]
    )
    assert 1 <= results["code_perplexity"] <= results["code_classes"] == 3
    assert len(results["kl_nats_per_dimension"][0]) == results["latent_dim"] == 4
    (note,) = results["notes"]
    assert "Codes are discrete" in note


def test_a_vq_vae_has_a_bound_and_no_estimate_of_the_likelihood() -> None:
    results = measured("vq")
    assert not (UNDEFINED | OF_SAMPLES) & set(results)
    assert results["elbo_nats"] == pytest.approx(
        results["expected_log_likelihood_nats"] - results["kl_nats"]
    )
    assert results["bits_per_dim"] > 0
    assert 1 <= results["code_perplexity"] <= results["code_classes"] == 6
    assert "a single code" in results["notes"][1]


@pytest.mark.parametrize("kind", ["categorical", "vq"])
def test_a_model_is_measured_on_hard_draws_whatever_mode_it_is_in(kind: str) -> None:
    made = digits(kind)
    evaluated = evaluate(made.model.eval(), made.dataset, made.transform, SPEC)
    training = evaluate(made.model.train(), made.dataset, made.transform, SPEC)
    assert made.model.training
    assert training["elbo_nats"] == evaluated["elbo_nats"]


def test_annealed_importance_sampling_is_refused() -> None:
    spec = SPEC.model_copy(update={"ais": AISSpec()})
    with pytest.raises(SpecError, match="discrete codes do not have"):
        measured("categorical", spec)
    assert "ais_nll_nats" not in measured("categorical")
