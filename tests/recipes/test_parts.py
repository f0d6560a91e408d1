"""What a recipe can choose from, read off the recipe."""

import pytest

from vaekit.recipes import load_recipe, parts, recipe_names
from vaekit.recipes.parts import kind_of, specs_in
from vaekit.recipes.recipe import Recipe


def test_every_part_says_what_it_is() -> None:
    for setting, choices in parts().items():
        assert choices, setting
        for choice in choices:
            assert len(choice.title) > 10, (setting, choice)
        titles = [choice.title for choice in choices]
        assert len(set(titles)) == len(titles), setting


def test_settings_that_share_their_choices_share_a_line() -> None:
    (line,) = (line for line in parts() if "model.encoder" in line)
    assert line.split(", ")[:3] == ["model.encoder", "model.decoder", "model.classifier"]
    assert [part.kind for part in parts()[line]] == ["mlp", "conv", "residual_conv"]


def test_choices_that_depend_on_the_model_are_listed_together() -> None:
    priors = {part.kind for part in parts()["model.prior"]}
    assert {"standard_normal", "vamp", "conditional_gaussian", "real_nvp"} <= priors
    assert "full_covariance" in {part.kind for part in parts()["model.posterior"]}


def test_parts_that_several_are_chosen_of() -> None:
    assert [part.kind for part in parts()["trackers"]] == ["tensorboard", "mlflow", "wandb"]


@pytest.mark.parametrize("name", recipe_names())
def test_every_kind_in_a_recipe_is_listed(name: str) -> None:
    recipe = load_recipe(name)
    listed = {setting: {p.kind for p in choices} for setting, choices in parts().items()}
    for setting in ("data", "transform", "model", "objective"):
        assert getattr(recipe, setting).kind in listed[setting]


def test_specs_are_found_behind_annotations() -> None:
    found = specs_in(Recipe.model_fields["objective"].annotation)
    names = [spec.__name__ for spec in found]
    assert (names[0], names[-1]) == ("ELBOSpec", "FeatureLossSpec")
    assert [kind_of(spec) for spec in found] == [part.kind for part in parts()["objective"]]
