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
DISCRETE = ("categorical", "vq")
WITHOUT_DENSITY = ("autoencoder", "semi-supervised")  # of z alone: a class has none
LAYERED = ("hierarchical", "ladder", "conv ladder")


def subject_of(trained: Trained) -> Subject:
    recipe = Recipe.model_validate(trained.recipe)
    return Subject(recipe, trained.model, trained.dataset, trained.transform)


QUICK = tuple(check for check in CHECKS if check.name in SMALL_NAMES)
"""All but the one that trains a classifier."""


@pytest.mark.parametrize("kind", DIGITS)
def test_every_check_answers(kind: str) -> None:
    found = diagnose(subject_of(digits(kind)), checks=QUICK)
    assert list(found.answers) == list(SMALL_NAMES)
    for name, answer in found.answers.items():
        if isinstance(answer, NotApplicable):
            assert answer.reason, name
        else:
            assert isinstance(answer.statistic.value, float)
            assert answer.statistic.is_bad == isinstance(answer, Finding)
    # Nothing was trained: what cannot be judged without a log is not.
    assert isinstance(found.answers["diverged"], NotApplicable)
    missing = {name for name, a in found.answers.items() if isinstance(a, NotApplicable)}
    assert ("unused_codes" not in missing) == (kind in DISCRETE)
    assert ("codes_leave_prior" not in missing) == (kind not in (*DISCRETE, *WITHOUT_DENSITY))
    assert ("collapsed_layer" not in missing) == (kind in LAYERED)
    assert ("memorisation" not in missing) == (kind != "autoencoder")


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
