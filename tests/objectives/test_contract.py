"""Promises that every objective keeps."""

from typing import Any

import pytest
import torch
from linear_model import linear_model
from pydantic import TypeAdapter, ValidationError

from vaekit.numerics import generator_for
from vaekit.objectives import (
    BetaSpec,
    ConstantBeta,
    CyclicalBeta,
    ELBOSpec,
    IWAESpec,
    LinearBeta,
    ObjectiveSpec,
    Terms,
)

SPECS: dict[str, dict[str, Any]] = {
    "elbo": {"kind": "elbo"},
    "beta 4": {"kind": "elbo", "beta": 4.0},
    "beta 0.5": {"kind": "elbo", "beta": 0.5},
    "free bits": {"kind": "elbo", "free_bits": 0.5, "num_samples": 3},
    "free bits per layer": {"kind": "elbo", "free_bits": 3.0, "free_bits_per": "layer"},
    "warm-up": {"kind": "elbo", "beta": {"kind": "linear"}},
    "cyclical": {"kind": "elbo", "beta": {"kind": "cyclical", "end": 0.2}},
    "iwae": {"kind": "iwae", "num_samples": 8},
    "dreg": {"kind": "dreg", "num_samples": 8},
    "stl": {"kind": "stl", "num_samples": 3},
    "stl, beta 0.5": {"kind": "stl", "beta": 0.5},
    "capacity": {"kind": "capacity", "capacity": 2.0, "gamma": 0.1},
    "no capacity": {"kind": "capacity", "capacity": {"kind": "linear", "start": 3.0, "end": 0.0}},
    "total correlation": {"kind": "beta_tcvae", "beta": 1.0},
    "no mutual information": {"kind": "beta_tcvae", "alpha": 0.0},
    "mmd": {"kind": "infovae", "mmd_weight": 10.0, "num_samples": 2},
    "mmd alone": {"kind": "infovae", "kl_weight": 0.0, "kernel": "rbf", "mmd_weight": 1.0},
    "reconstruction": {"kind": "reconstruction"},
    "wake-sleep": {"kind": "wake_sleep", "num_samples": 2},
}
OF_A_BATCH = ("free bits", "capacity", "no mutual information", "mmd", "mmd alone", "wake-sleep")
UNITLESS = {"mmd_squared"}
LATE = 1e6  # epochs after which every schedule has ended
parse = TypeAdapter(ObjectiveSpec)
TRUTH = linear_model()
SHOWN = TRUTH.draw(64)


@pytest.fixture(params=SPECS, ids=str)
def spec(request: pytest.FixtureRequest) -> ObjectiveSpec:
    return parse.validate_python(SPECS[request.param])


def evaluated(spec: ObjectiveSpec, epoch: float = LATE, **model: float) -> Terms:
    """The objective's terms for the linear model, whose posterior may be shifted or stretched."""
    objective = spec.build()
    noise = torch.randn(
        objective.num_samples, 64, 3, generator=generator_for(0), dtype=torch.float64
    )
    torch.manual_seed(0)  # of dreams
    return objective(TRUTH.vae(**model), SHOWN, objective.schedule(epoch), (noise,))


def test_spec_goes_there_and_back(spec: ObjectiveSpec) -> None:
    assert parse.validate_json(parse.dump_json(spec)) == spec
    assert parse.validate_python(spec.model_dump()) == spec


def test_spec_needs_what_the_objective_needs(spec: ObjectiveSpec) -> None:
    assert spec.needs == spec.build().needs


def test_terms_are_scalars_and_reports_carry_no_gradient(spec: ObjectiveSpec) -> None:
    terms = evaluated(spec)
    assert set(terms.losses) == {"model"}
    assert terms.losses["model"].requires_grad
    assert spec.build().monitored in terms.reported
    for name, value in terms.reported.items():
        assert name.endswith("_nats") or name in UNITLESS
        assert value.shape == ()
        assert not value.requires_grad


def test_every_parameter_gets_a_finite_gradient(spec: ObjectiveSpec) -> None:
    model, objective = TRUTH.vae(shift=0.1), spec.build()
    terms = objective(model, SHOWN, objective.schedule(LATE), generator=generator_for(0))
    terms.losses["model"].backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


def test_bound_is_what_stays_below_log_p(spec: ObjectiveSpec) -> None:
    # At the exact posterior the ELBO is log p(x): what weighs the KL by less than one is above
    # it, by a share of a KL of about two nats. 64 examples with as many draws leave an ELBO
    # with an error of about sqrt(3 / 2 / 64) = 0.15 nats, since only its likelihood is sampled.
    exact = TRUTH.log_prob(SHOWN.x).mean().item()
    value = -evaluated(spec).losses["model"].item()
    if spec.is_bound:
        assert value <= exact + 0.45
        assert -evaluated(spec, shift=1.0).losses["model"].item() < exact
    elif spec.kind != "wake_sleep":  # its two losses add up to nothing that compares with log p(x)
        assert value > exact + 0.9


def test_same_noise_gives_the_same_terms(spec: ObjectiveSpec) -> None:
    assert torch.equal(evaluated(spec).losses["model"], evaluated(spec).losses["model"])


@pytest.mark.parametrize("name", [name for name in SPECS if name not in OF_A_BATCH])
def test_splitting_a_batch_changes_nothing_but_what_is_of_a_batch(name: str) -> None:
    spec = parse.validate_python(SPECS[name])
    objective, model = spec.build(), TRUTH.vae(shift=0.1)
    noise = torch.randn(objective.num_samples, 64, 3, dtype=torch.float64)
    schedule = objective.schedule(LATE)
    whole = objective(model, SHOWN, schedule, (noise,)).losses["model"].item()
    halves = [
        objective(model, SHOWN[rows], schedule, (noise[:, rows],)).losses["model"].item()
        for rows in (slice(0, 32), slice(32, 64))
    ]
    assert sum(halves) / 2 == pytest.approx(whole, abs=1e-12)  # float64 sums of about 10 nats


# -- beta ---------------------------------------------------------------------------------------


def test_number_is_short_for_a_constant() -> None:
    assert ELBOSpec.model_validate({"beta": 4}).beta == ConstantBeta(value=4.0)
    assert ELBOSpec.model_validate({"beta": {"kind": "constant", "value": 4.0}}).beta.at(9) == 4


@pytest.mark.parametrize("beta", [-1.0, float("nan"), True, "much"])
def test_a_beta_that_is_none_is_refused_where_it_stands(beta: Any) -> None:
    with pytest.raises(ValidationError) as raised:
        ELBOSpec.model_validate({"beta": beta})
    (error,) = raised.value.errors()
    assert error["loc"][0] == "beta"
    assert "\n" not in error["msg"]


@pytest.mark.parametrize(
    ("beta", "values"),
    [
        (ConstantBeta(value=0.3), {0: 0.3, 99: 0.3}),
        (LinearBeta(start=0.2, end=1.0, warmup_epochs=4), {0: 0.2, 1: 0.4, 4: 1.0, 50: 1.0}),
        (LinearBeta(start=2.0, end=1.0, warmup_epochs=4), {0: 2.0, 2: 1.5, 4: 1.0}),
        (
            CyclicalBeta(cycles=2, cycle_epochs=4, rise=0.5),
            {0: 0.0, 1: 0.5, 2: 1.0, 3.9: 1.0, 4: 0.0, 5: 0.5, 7: 1.0, 8: 1.0, 9: 1.0},
        ),
    ],
)
def test_beta_follows_its_schedule(beta: BetaSpec, values: dict[float, float]) -> None:
    for epoch, expected in values.items():
        assert beta.at(epoch) == pytest.approx(expected, rel=1e-12)
    assert beta.at(LATE) == beta.final
    assert ELBOSpec(beta=beta).build().schedule(1.0) == {"beta": beta.at(1.0)}


def test_loss_weighs_the_kl_by_beta() -> None:
    terms = evaluated(ELBOSpec(beta=ConstantBeta(value=3.0)))
    fit, kl = (terms.reported[f"{name}_nats"] for name in ("expected_log_likelihood", "kl"))
    assert terms.losses["model"].item() == pytest.approx((3 * kl - fit).item(), rel=1e-12)


@pytest.mark.parametrize("changed", [{"beta": 0.1}, {"beta": 7.0}, {"free_bits": 2.0}])
def test_reported_elbo_knows_neither_beta_nor_free_bits(changed: dict[str, float]) -> None:
    plain, other = evaluated(ELBOSpec()), evaluated(ELBOSpec.model_validate(changed))
    assert plain.losses["model"].item() != pytest.approx(other.losses["model"].item(), abs=0.1)
    for name, value in plain.reported.items():
        assert torch.equal(other.reported[name], value)


# -- free bits ----------------------------------------------------------------------------------


def test_free_bits_are_a_floor_of_each_dimensions_mean_kl() -> None:
    model = TRUTH.vae()
    kl = model.infer(SHOWN).kl[0].mean((0, 1)).tolist()
    floor = sorted(kl)[1] + 0.01  # two of three dimensions are below
    terms = evaluated(ELBOSpec(free_bits=floor, beta=ConstantBeta(value=2.0)))
    expected = 2 * (2 * floor + max(kl)) - terms.reported["expected_log_likelihood_nats"].item()
    assert terms.losses["model"].item() == pytest.approx(expected, rel=1e-12)


def test_free_bits_per_layer_are_a_floor_of_the_whole_layers_mean_kl() -> None:
    kl = TRUTH.vae().infer(SHOWN).kl[0].mean((0, 1)).sum().item()
    for floor in (kl - 0.5, kl + 0.5):
        terms = evaluated(ELBOSpec(free_bits=floor, free_bits_per="layer"))
        expected = max(kl, floor) - terms.reported["expected_log_likelihood_nats"].item()
        assert terms.losses["model"].item() == pytest.approx(expected, rel=1e-12)
        assert terms.reported["kl_nats"].item() == pytest.approx(kl, rel=1e-12)


def test_no_pull_towards_the_prior_below_the_floor() -> None:
    def gradients(objective: ObjectiveSpec) -> list[torch.Tensor]:
        model = TRUTH.vae(shift=0.1)
        terms = objective.build()(model, SHOWN, {"beta": 1.0}, generator=generator_for(4))
        return list(torch.autograd.grad(terms.losses["model"], list(model.parameters())))

    below = gradients(ELBOSpec(free_bits=100.0))
    without_kl = gradients(parse.validate_python({"kind": "reconstruction"}))
    with_kl = gradients(ELBOSpec())
    assert all(torch.equal(a, b) for a, b in zip(below, without_kl, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(with_kl, without_kl, strict=True))
    # A floor of nothing is no floor (PyOD's default leaves its KL without a gradient).
    low = gradients(ELBOSpec(free_bits=1e-9))
    assert all(torch.equal(a, b) for a, b in zip(low, with_kl, strict=True))


# -- IWAE ---------------------------------------------------------------------------------------


def test_iwae_weighs_the_best_sample_most() -> None:
    # The gradient with respect to each sample's log-weight is its normalised weight; seen here
    # through a decoder bias that shifts every sample's x by the same amount.
    model = TRUTH.vae(stretch=2.0)
    shown = SHOWN[:1]
    noise = (torch.randn(6, 1, 3, generator=generator_for(5), dtype=torch.float64),)
    bias = model.decoder.output_bias
    loss = IWAESpec(num_samples=6).build()(model, shown, {}, noise).losses["model"]
    (found,) = torch.autograd.grad(loss, bias)
    inference = model.infer(shown, 6, noise)
    log_weights = inference.log_weights()[:, 0]
    each = [torch.autograd.grad(w, bias, retain_graph=True)[0] for w in log_weights]
    share = log_weights.softmax(0)
    assert share.argmax() == log_weights.argmax()
    assert share.max() > 2 * share.min()
    expected = -sum(s * g for s, g in zip(share, each, strict=True))
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
