"""Every check on every kind of model: an answer, or a reason why there is none."""

from pathlib import Path

import pytest
import torch
from export.trained_models import DIGITS, digits, table
from runs.small_recipe import small_recipe

from vaekit.diagnosis import CHECKS, Finding, Healthy, NotApplicable, Subject, diagnose
from vaekit.diagnosis.subject import scored
from vaekit.export import Trained
from vaekit.recipes import Recipe
from vaekit.runs import assemble

SMALL_NAMES = tuple(check.name for check in CHECKS if check.name != "missing_modes")
CONTINUOUS = ("integers", "mixture", "real_nvp", "full_covariance", "flow", "hierarchical")
DISCRETE = ("categorical", "vq")


def subject_of(trained: Trained) -> Subject:
    recipe = Recipe.model_validate(trained.recipe)
    return Subject(recipe, trained.model, trained.dataset, trained.transform)


def quick(name: str) -> tuple:
    """All checks but the one that trains a classifier."""
    return tuple(check for check in CHECKS if check.name in SMALL_NAMES)


@pytest.mark.parametrize("kind", DIGITS)
def test_every_check_answers(kind: str) -> None:
    found = diagnose(subject_of(digits(kind)), checks=quick(kind))
    assert list(found.answers) == list(SMALL_NAMES)
    for name, answer in found.answers.items():
        if isinstance(answer, NotApplicable):
            assert answer.reason, name
        else:
            assert isinstance(answer.statistic.value, float)
            assert answer.statistic.is_bad == isinstance(answer, Finding)
    # Nothing was trained: what cannot be judged without a log is not.
    assert isinstance(found.answers["diverged"], NotApplicable)


@pytest.mark.parametrize("kind", [*CONTINUOUS, *DISCRETE, "autoencoder", "semi-supervised"])
def test_what_does_not_apply_says_so(kind: str) -> None:
    found = diagnose(subject_of(digits(kind)), checks=quick(kind))
    has_codes = kind in DISCRETE
    assert isinstance(found.answers["unused_codes"], NotApplicable) != has_codes
    has_prior = kind in CONTINUOUS
    assert isinstance(found.answers["codes_leave_prior"], NotApplicable) != has_prior
    several = kind == "hierarchical"
    assert isinstance(found.answers["collapsed_layer"], NotApplicable) != several
    samples = kind != "autoencoder"
    assert isinstance(found.answers["memorisation"], NotApplicable) != samples


def test_a_table_with_gaps(tmp_path: Path) -> None:
    found = diagnose(subject_of(table(tmp_path)))
    assert isinstance(found.answers["missing_modes"], NotApplicable)
    assert isinstance(found.answers["blur"], NotApplicable)
    assert isinstance(found.answers["memorisation"], NotApplicable)
    assert isinstance(found.answers["overfitting"], Healthy)


def test_a_conditional_model_keeps_its_conditions() -> None:
    recipe = small_recipe('transform.condition=["label"]', "training.device=cpu")
    parts = assemble(recipe)
    subject = Subject(recipe, parts.model, parts.dataset, parts.transform)
    assert subject.shown.c is not None
    scores = scored(subject.model, subject.shown[:50], seed=0)
    assert torch.isfinite(scores.swapped).all()
    assert len(subject.samples) > 0
