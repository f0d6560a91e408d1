"""Recipes: the ones that come with vaekit, settings on top, and every mistake once."""

import tomllib
from pathlib import Path

import pytest

from vaekit.errors import SpecError
from vaekit.models import VAESpec
from vaekit.recipes import Recipe, load_recipe, recipe_names, to_toml


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_goes_there_and_back(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.description
    assert Recipe.model_validate(tomllib.loads(to_toml(recipe))) == recipe


def test_texts_survive_the_writer() -> None:
    recipe = load_recipe("digits").model_copy(update={"description": 'a "b" \\ ü \x7f \n #'})
    assert tomllib.loads(to_toml(recipe))["description"] == recipe.description


def test_a_list_of_tables_goes_there_and_back() -> None:
    setting = 'trackers=[{kind="tensorboard", folder="a \\"b\\""}, {kind="mlflow"}, {kind="wandb"}]'
    recipe = load_recipe("digits", [setting])
    assert [tracker.kind for tracker in recipe.trackers] == ["tensorboard", "mlflow", "wandb"]
    text = to_toml(recipe)
    assert Recipe.model_validate(tomllib.loads(text)) == recipe
    assert text.index("trackers = [{ kind = ") < text.index("\n[")  # else it belonged to a table


def test_settings_reach_everything() -> None:
    recipe = load_recipe(
        "digits",
        [
            "training.epochs=5",
            "model.encoder.hidden=[16, 8]",
            "objective.beta=4",
            "training.early_stopping.patience=3",
            "training.optimizer.learning_rate=0.5",
            "name=other",
        ],
    )
    assert recipe.name == "other"
    assert recipe.training.epochs == 5
    assert isinstance(recipe.model, VAESpec)
    assert recipe.model.encoder.model_dump()["hidden"] == (16, 8)
    assert recipe.objective.model_dump()["beta"] == {"kind": "constant", "value": 4.0}
    assert recipe.training.early_stopping is not None
    assert recipe.training.optimizer.kind == "adam"  # the default kind needs no saying
    assert recipe.training.optimizer.learning_rate == 0.5


def test_another_kind_drops_what_only_the_old_one_knew() -> None:
    recipe = load_recipe("digits", ["model.encoder.kind=conv", "objective.kind=iwae"])
    assert isinstance(recipe.model, VAESpec)
    assert recipe.model.encoder.kind == "conv"
    assert recipe.model.encoder.activation == "silu"  # known to both
    assert recipe.objective.kind == "iwae"


def test_a_setting_of_the_user_is_never_dropped() -> None:
    with pytest.raises(SpecError, match=r"no setting objective.beta"):
        load_recipe("digits", ["objective.kind=iwae", "objective.beta=2"])


MISTAKES = {
    "training.epoch=3": "no setting training.epoch(.|\n)*did you mean epochs",
    "model.encoder.hiden=[3]": "did you mean hidden",
    "objective.beta.warmup_epoch=3": "did you mean warmup_epochs",
    "model.kind=vaee": "no model of kind 'vaee'(.|\n)*did you mean vae",
    "model.latent_dim=0": "model.latent_dim(.|\n)*greater than 0(.|\n)*found: +0",
    "training.epochs=five": "a valid integer",
    "training.epochs.x=5": "training.epochs is a single value",
    "training.accumulate=999": "pieces of less than one example",
    "model.encoder.dropout=nan": "finite number",
    "transform={}": "transform does not say which kind",
    "name=a/b": "name cannot be used",
    "model.encoder.hidden=[3, -1]": r"model.encoder.hidden\[1\] cannot be used",
    'trackers=[{kind="tensorboard", fodler="x"}]': (
        r"no setting trackers\[0\].fodler(.|\n)*one of embeddings, folder(.|\n)*mean folder"
    ),
    'trackers=[{kind="wandb"}, {kind="mlfow"}]': r"no trackers\[1\] of kind(.|\n)*mean mlflow",
    "trackers=[{}]": r"trackers\[0\] does not say which kind",
    'trackers=["wandb"]': r"trackers\[0\] cannot be used(.|\n)*a table",
    "trackers=wandb": "a list in brackets",
    "epochs": "path=value",
    "=3": "path=value",
}


SPATIAL = '{kind="residual_conv", channels=[4,4], code="spatial"}'
REFUSED: dict[tuple[str, ...], str] = {
    ("model.prior.kind=real_nvp", "model.latent_dim=1"): "2 or more latent dimensions",
    ("model.posterior.kind=full_covariance", "model.latent_dim=100"): "latent_dim of 64 or less",
    ("model.prior.kind=conditional_gaussian",): r"transform.condition = \['label'\]",
    ("model.prior.kind=vamp", 'transform.condition=["label"]'): "leave transform.condition out",
    ("model.kind=ladder_vae", 'transform.condition=["label"]'): "leave transform.condition out",
    ("model.prior.kind=vamp", "model.encoder.normalization=batch"): "'layer' or 'group'",
    ("model.prior.kind=vamp", "model.posterior.kind=full_covariance"): "'mixture'",
    ("model.kind=ladder_vae", "model.prior.kind=vamp"): "for this model(.|\n)*model.kind = 'vae'",
    (
        "model.kind=ladder_vae",
        "model.posterior.kind=inverse_autoregressive_flow",
    ): "for this model(.|\n)*one of diagonal_gaussian(.|\n)*model.kind = 'vae'",
    (f"model.encoder={SPATIAL}", "model.posterior.kind=full_covariance"): "choose encoder.code",
    ("model.kind=categorical_vae", f"model.encoder={SPATIAL}"): "no place(.|\n)*'dense'",
    ("model.kind=hierarchical_vae", f"model.decoder={SPATIAL}"): "choose decoder.code = 'dense'",
    (
        "model.kind=hierarchical_vae",
        "model.latent_dims=[4,1]",
        "model.prior.kind=real_nvp",
    ): "2 or more latent dimensions, of several layers in the top one",
    (
        "model.kind=semi_supervised_vae",
        "objective.kind=m2",
        'transform={kind="grey", condition=["label"]}',
        'model.likelihood={kind="gaussian", scale="optimal"}',
    ): "scale = 'learned'",
    ("objective.kind=vae_gan", 'model.likelihood={kind="gaussian"}'): "scale = 'optimal'",
    ("objective.kind=feature_loss", 'model.likelihood={kind="discretized_logistic"}'): "stay where",
    ("objective.kind=vae_gan", f"objective.discriminator={SPATIAL}"): "no verdict",
    ("objective.kind=feature_loss", f"objective.network={SPATIAL}"): "'dense'",
}


@pytest.mark.parametrize("settings", REFUSED)
def test_what_does_not_fit_is_refused_before_anything_is_loaded(settings: tuple[str, ...]) -> None:
    with pytest.raises(SpecError, match=REFUSED[settings]):
        load_recipe("digits", settings)


@pytest.mark.parametrize("setting", MISTAKES)
def test_a_mistake_is_explained(setting: str) -> None:
    with pytest.raises(SpecError, match=MISTAKES[setting]):
        load_recipe("digits", [setting])


def test_an_entry_of_a_list_is_not_set_alone() -> None:
    with pytest.raises(SpecError, match=r"trackers is a list here(.|\n)*set the whole of trackers"):
        load_recipe("digits", ['trackers=[{kind="wandb"}]', "trackers.0.mode=online"])


def test_all_mistakes_are_named() -> None:
    with pytest.raises(SpecError, match=r"then look at training.batch_size"):
        load_recipe("digits", ["training.epochs=0", "training.batch_size=0"])


def test_a_pair_without_sense_is_refused() -> None:
    with pytest.raises(SpecError, match="batch normalisation"):
        load_recipe("digits", ["objective.kind=iwae", "model.encoder.normalization=batch"])
    with pytest.raises(SpecError, match="does not have"):
        load_recipe("digits", ["model.kind=autoencoder"])


def test_a_measure_that_a_model_cannot_have_is_refused() -> None:
    with pytest.raises(
        SpecError, match=r"discrete codes do not have(.|\n)*leave evaluation.ais out"
    ):
        load_recipe("mnist_gumbel", ["evaluation.ais={}"])
    with pytest.raises(SpecError, match="relaxed code has no probability"):
        load_recipe("mnist_gumbel", ["objective.kind=iwae"])
    with pytest.raises(SpecError, match="one of a codebook for each example"):
        load_recipe("mnist_vq", ["objective.kind=iwae"])


def test_unknown_recipe_offers_near_names() -> None:
    with pytest.raises(SpecError, match=r"did you mean mnist"):
        load_recipe("minst")


def test_file_is_named_by_its_stem(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[data]\nkind = "digits"\n[transform]\nkind = "grey"\n')
    assert load_recipe(file).name == "mine"
    assert load_recipe(str(file)) == load_recipe(file)


def test_wrong_files_are_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("[data\n")
    with pytest.raises(SpecError, match=r"not valid TOML(.|\n)*line 1"):
        load_recipe(broken)
    with pytest.raises(SpecError, match=r"did you mean broken.toml"):
        load_recipe(tmp_path / "brokn.toml")
    broken.write_bytes(b"\xff\xfe")
    with pytest.raises(SpecError, match="cannot be read"):
        load_recipe(broken)
    broken.write_text("[transform]\nkind = 'grey'\n")
    with pytest.raises(SpecError, match="setting data is missing"):
        load_recipe(broken)


@pytest.mark.parametrize(
    "setting",
    [
        "model.latent_dim=0",
        "objective={kind='iwae', num_samples=0}",
        "evaluation.num_samples=0",
    ],
)
def test_what_can_never_work_is_refused_when_the_recipe_is_read(setting: str) -> None:
    with pytest.raises(SpecError, match="expected: greater than 0"):
        load_recipe("digits", ["model.prior.kind=real_nvp", setting])
