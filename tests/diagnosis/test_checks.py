"""Single checks where the answer is known, and remedies that follow from the recipe."""

from dataclasses import replace

import pytest
import torch
from export.trained_models import digits
from runs.small_recipe import small_recipe

from vaekit.diagnosis import CHECKS, Answer, Finding, Healthy, NotApplicable, Subject
from vaekit.diagnosis.blame import (
    few_dimensions,
    heavy_kl,
    high_rate,
    kl_weight,
    light_kl,
    no_free_bits,
    no_warm_up,
    rarely_stopped,
    smaller_networks,
    wide_likelihood,
)
from vaekit.diagnosis.checks.diverged import largest_fall, warm_up_epochs
from vaekit.diagnosis.checks.overfitting import area_under_curve
from vaekit.diagnosis.checks.warmup import reached, scheduled
from vaekit.objectives import CyclicalBeta, LinearBeta
from vaekit.recipes import Recipe, load_recipe
from vaekit.training import Record

TERM = "expected_log_likelihood_nats"
BY_NAME = {check.name: check for check in CHECKS}


def subject(*settings: str, log: list[Record] | None = None) -> Subject:
    trained = digits("integers")
    recipe = Recipe.model_validate(trained.recipe)
    if settings:
        recipe = small_recipe(*settings)
    return Subject(recipe, trained.model, trained.dataset, trained.transform, log)


def answer(name: str, of: Subject) -> Answer:
    return BY_NAME[name].examine(of)


def layers(of: Subject, part: str) -> list[torch.nn.Linear]:
    """The linear layers of the encoder or decoder."""
    modules = of.model.get_submodule(part).modules()
    return [module for module in modules if isinstance(module, torch.nn.Linear)]


def records(*values: float) -> list[Record]:
    return [
        {"kind": "training", "step": e, "epoch": float(e), TERM: v} for e, v in enumerate(values)
    ]


# -- the registry --------------------------------------------------------------------------------


def test_names_are_unique_and_explanations_name_checks() -> None:
    assert len(BY_NAME) == len(CHECKS)
    for check in CHECKS:
        assert set(check.explains) <= set(BY_NAME) - {check.name}
        assert check.title
        assert check.symptom.endswith(".")
        assert check.reference


def test_nothing_explains_what_explains_it() -> None:
    for check in CHECKS:
        for name in check.explains:
            assert check.name not in BY_NAME[name].explains


# -- training ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((-100.0, -50.0, -10.0), 0.0),
        ((-100.0, -20.0, -60.0, -20.0), 40.0),
        ((-1e9, -20.0, -180.0, -10.0, -90.0), 160.0),  # a bad start hides nothing
        ((-100.0,), 0.0),
        ((), 0.0),
    ],
)
def test_the_largest_fall(values: tuple[float, ...], expected: float) -> None:
    assert largest_fall(records(*values), after=0.0) == expected


def test_what_a_warm_up_takes_back_does_not_count() -> None:
    log = records(-100.0, -20.0, -60.0, -55.0, -55.0)
    assert largest_fall(log, after=2.0) == 0.0
    assert largest_fall(log, after=0.0) == 40.0


def test_warm_up_ends_with_the_last_cycle() -> None:
    cyclical = 'objective.beta={ kind = "cyclical", cycles = 3, cycle_epochs = 5 }'
    assert warm_up_epochs(small_recipe(cyclical)) == 15.0
    assert warm_up_epochs(small_recipe("objective.beta=1")) == 0.0


def test_a_run_that_was_stopped_has_diverged() -> None:
    log = [*records(-100.0, -90.0), Record(kind="divergence", step=2, epoch=2.0, problem="NaN")]
    found = answer("diverged", subject("training.optimizer.learning_rate=0.5", log=log))
    assert isinstance(found, Finding)
    assert "NaN" in found.symptom
    assert found.remedy.settings == ("training.optimizer.learning_rate=0.001",)
    assert found.evidence["gradient_norm_of_kept_weights_median"] > 0
    assert "gradient_norm_in_log_median" not in found.evidence


def test_the_norms_that_were_logged_are_evidence() -> None:
    log = records(-10.0, -500.0, -12.0)
    for record, norm in zip(log, (3.0, 4000.0, 5.0), strict=True):
        record["gradient_norm"] = norm
    found = answer("diverged", subject("objective.beta=1", log=log))
    assert isinstance(found, Finding)
    assert "The norm of the gradient reached 4000; its median is 5." in found.symptom
    assert found.evidence["gradient_norm_in_log_largest"] == 4000.0


def test_without_a_log_nobody_knows() -> None:
    assert isinstance(answer("diverged", subject()), NotApplicable)


@pytest.mark.parametrize(("epochs", "share"), [(0.0, 0.0), (5.0, 0.5), (10.0, 1.0), (99.0, 1.0)])
def test_how_far_a_schedule_went(epochs: float, share: float) -> None:
    assert reached(LinearBeta(start=0.5, end=2.5, warmup_epochs=10), epochs) == share


def test_warm_up_longer_than_training() -> None:
    of = subject("training.epochs=40", "objective.beta.warmup_epochs=400")
    found = answer("warmup", of)
    assert isinstance(found, Finding)
    assert found.statistic.value == pytest.approx(0.1)
    (setting,) = found.remedy.settings
    mended = small_recipe("training.epochs=40", "objective.beta.warmup_epochs=400", setting)
    (schedule,) = scheduled(mended).values()
    assert reached(schedule, 40.0) == 1.0
    assert isinstance(answer("warmup", subject("training.epochs=40")), Healthy)


def test_a_cycle_is_shortened_so_that_all_end_in_half_the_time() -> None:
    settings = [
        "training.epochs=40",
        'objective.beta={ kind = "cyclical", cycles = 4, cycle_epochs = 50 }',
    ]
    found = answer("warmup", subject(*settings))
    assert isinstance(found, Finding)
    mended = small_recipe(*settings, *found.remedy.settings)
    (schedule,) = scheduled(mended).values()
    assert isinstance(schedule, CyclicalBeta)
    assert schedule.cycles * schedule.cycle_epochs == 20


def test_where_the_log_ends_counts_and_not_the_recipe() -> None:
    log = records(*([-100.0] * 6))
    of = subject("training.epochs=40", "objective.beta.warmup_epochs=20", log=log)
    found = answer("warmup", of)
    assert isinstance(found, Finding)
    assert found.statistic.value == pytest.approx(5 / 20)


# -- data ----------------------------------------------------------------------------------------


def test_levels_that_the_transform_does_not_make() -> None:
    found = answer("data_range", subject("model.likelihood.levels=256"))
    assert isinstance(found, Finding)
    assert found.statistic.value == pytest.approx(16 / 255)
    assert found.remedy.settings == ("model.likelihood.levels=17",)


def test_likelihoods_without_ends_are_not_judged() -> None:
    of = subject("transform.kind=grey", "model.likelihood.kind=gaussian")
    assert isinstance(answer("data_range", of), NotApplicable)


# -- codes and scores ----------------------------------------------------------------------------


def test_a_dead_encoder_is_told_from_a_quiet_one() -> None:
    of = subject("training.optimizer.learning_rate=0.3", 'model.encoder.activation="relu"')
    last = layers(of, "encoder")[-1]
    with torch.no_grad():
        last.weight.mul_(1e-3)
    assert isinstance(answer("constant_encoder", of), Healthy)
    dead = subject("training.optimizer.learning_rate=0.3", 'model.encoder.activation="relu"')
    last = layers(dead, "encoder")[-1]
    with torch.no_grad():
        last.weight.zero_()
    found = answer("constant_encoder", dead)
    assert isinstance(found, Finding)
    assert found.statistic.value == 0.0
    assert found.remedy.settings == (
        "training.optimizer.learning_rate=0.001",
        'model.encoder.activation="silu"',
    )


def test_narrow_layers_are_blamed_before_the_learning_rate() -> None:
    of = subject("model.encoder.hidden=[2, 2, 2]", 'model.encoder.activation="relu"')
    with torch.no_grad():
        layers(of, "encoder")[-1].weight.zero_()
    found = answer("constant_encoder", of)
    assert isinstance(found, Finding)
    assert found.remedy.settings == ("model.encoder.hidden=[128, 128]",)


def test_a_decoder_without_weights_is_collapse() -> None:
    of = subject("objective.beta=30")
    first = layers(of, "decoder")[0]
    with torch.no_grad():
        first.weight.zero_()
    found = answer("posterior_collapse", of)
    assert isinstance(found, Finding)
    assert found.statistic.value == pytest.approx(0.0, abs=1e-9)
    assert found.remedy.settings == ("objective.beta=1",)
    assert "mutual_information_nats" in found.evidence


def test_scales_at_their_floor() -> None:
    of = subject()
    last = layers(of, "encoder")[-1]
    with torch.no_grad():
        last.bias[len(last.bias) // 2 :] = -50.0
    found = answer("saturated_scales", of)
    assert isinstance(found, Finding)
    assert found.statistic.value == 1.0


def test_area_under_the_curve() -> None:
    a = torch.tensor([3.0, 4.0, 5.0])
    assert area_under_curve(a, a - 10) == 1.0
    assert area_under_curve(a, a) == 0.5
    assert area_under_curve(a - 10, a) == 0.0


def test_one_score_for_all_tells_nothing() -> None:
    of = subject()
    same = replace(of.scores, log_likelihood=torch.zeros(250).double(), kl=())
    assert area_under_curve(same.bound, same.bound) == 0.5


# -- blame ---------------------------------------------------------------------------------------


def applied(recipe: str, *settings: str) -> Recipe:
    return load_recipe(recipe, settings)


@pytest.mark.parametrize(
    ("settings", "weight"),
    [
        (("objective.beta=4",), 4.0),
        (('objective.beta={ kind = "linear", end = 2.0 }',), 2.0),
        (('objective.kind="infovae"', "objective.kl_weight=3"), 3.0),
        (('objective.kind="iwae"',), None),
    ],
)
def test_the_weight_of_the_kl(settings: tuple[str, ...], weight: float | None) -> None:
    recipe = applied("digits", *settings)
    assert kl_weight(recipe) == weight
    assert (heavy_kl(recipe) is None) == (weight is None)
    if blame := heavy_kl(recipe):
        assert kl_weight(applied("digits", *settings, *blame.remedy.settings)) == 1.0


@pytest.mark.parametrize(
    ("blame", "settings"),
    [
        (light_kl, ("objective.beta=0.1",)),
        (
            wide_likelihood,
            ("transform.kind=grey", 'model.likelihood={ kind = "gaussian", scale = 2.0 }'),
        ),
        (no_warm_up, ("objective.beta=1",)),
        (lambda recipe: no_free_bits(recipe, 0.5, "layer"), ("objective.beta=1",)),
        (high_rate, ("training.optimizer.learning_rate=0.2",)),
        (few_dimensions, ("model.latent_dim=2",)),
    ],
)
def test_a_remedy_takes_its_cause_away(blame, settings: tuple[str, ...]) -> None:
    found = blame(applied("digits", *settings))
    assert found is not None
    assert found.cause.endswith(".")
    assert blame(applied("digits", *settings, *found.remedy.settings)) is None


def test_early_stopping_needs_something_to_watch() -> None:
    recipe = applied("mnist")
    with_validation, without = rarely_stopped(recipe, True), rarely_stopped(recipe, False)
    assert with_validation is not None
    assert without is not None
    assert len(with_validation.remedy.settings) == 2
    assert len(without.remedy.settings) == 1
    mended = applied("mnist", *with_validation.remedy.settings)
    assert mended.training.early_stopping is not None
    assert rarely_stopped(mended, True) is None
    smaller = applied("mnist", *smaller_networks(mended).remedy.settings)
    assert smaller.model.model_dump()["encoder"]["hidden"] == (200, 200)
