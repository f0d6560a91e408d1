"""Recipes whose objective is no bound, from training to the report."""

import json
from pathlib import Path

import pytest
import torch
from runs.small_recipe import small_recipe
from typer.testing import CliRunner

import vaekit
from vaekit.cli.main import app
from vaekit.data import Statistics
from vaekit.errors import SpecError
from vaekit.recipes import Recipe
from vaekit.runs import assemble, open_run, prepare, train

OPPONENT = (
    "objective={kind='vae_gan', pixel_weight=0.1, discriminator={kind='mlp', hidden=[16]}}",
    "training.group_optimizers.discriminator={kind='adam', learning_rate=1e-2}",
)


def features_of(artifact: Path) -> Recipe:
    return small_recipe(
        f"objective={{kind='feature_loss', artifact='{artifact}'}}",
        "model.likelihood={kind='gaussian', scale='optimal'}",
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "vae_gan"
    train(small_recipe(*OPPONENT), folder)
    return folder


def test_it_says_that_its_value_is_no_bound(finished: Path) -> None:
    results = open_run(finished).results
    assert results is not None
    (note,) = (note for note in results["notes"] if "no bound" in note)
    assert "'vae_gan'" in note
    assert "no bound" in (finished / "report.html").read_text()
    assert "no bound" in (finished / "artifact" / "card.md").read_text()
    assert not any("no bound" in note for note in plain_notes(finished.parent))


def test_it_says_so_when_it_is_measured_again(finished: Path) -> None:
    command = ["evaluate", str(finished), "--examples", "20", "--samples", "5", "--json"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert any("no bound" in note for note in json.loads(done.stdout)["notes"])


def plain_notes(folder: Path) -> list[str]:
    run = train(small_recipe(), folder / "plain")
    assert run.results is not None
    return run.results["notes"]


def test_the_opponent_does_not_travel_with_the_model(finished: Path) -> None:
    model = vaekit.load(finished)
    assert model.sample(3, seed=0).shape == (3, 1, 8, 8)
    assert not any("discriminator" in name for name in open_run(finished).model.state_dict())


def test_both_losses_are_logged(finished: Path) -> None:
    last = [line for line in open_run(finished).log if line["kind"] == "training"][-1]
    names = {"loss_nats", "discriminator_loss_nats", "feature_error_nats", "adversarial_nats"}
    assert names <= last.keys()


def test_features_are_of_the_named_artifacts_encoder(finished: Path) -> None:
    encoder = open_run(finished).model.state_dict()["encoder.network.1.weight"]
    recipe, folder = prepare(features_of(finished / "artifact"), finished.parent / "features")
    objective = assemble(recipe).objective
    assert torch.equal(objective.state_dict()["network.1.weight"], encoder)
    run = train(recipe, folder)
    assert run.results is not None
    assert any("'feature_loss'" in note for note in run.results["notes"])


def test_an_encoder_of_other_examples_is_refused(finished: Path) -> None:
    spec = features_of(finished / "artifact").objective
    with pytest.raises(SpecError, match="made for other examples"):
        spec.build(Statistics(torch.zeros(1, 4, 4), torch.ones(1, 4, 4)))
