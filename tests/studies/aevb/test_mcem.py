"""Monte Carlo EM against the linear model, whose posterior and likelihood are known."""

import math
from typing import Any

import pytest
import torch
from jaxtyping import Float, Shaped
from linear_model import LinearModel, linear_layer, linear_model, linear_vae
from torch import Tensor

from vaekit.data import InMemorySplit, Transform
from vaekit.numerics import generator_for
from vaekit.objectives import ELBOSpec
from vaekit.schema import Schema
from vaekit.studies.aevb import Cell, MonteCarloEM
from vaekit.studies.aevb.mcem import sampled
from vaekit.studies.aevb.setting import Setting, recipe_of
from vaekit.training import AdamSpec

TRUTH = linear_model()


class Unchanged(Transform):
    """Values as they are."""

    protocol = "none"

    def expectation(self, x: Shaped[Tensor, "rows *event"]) -> Float[Tensor, "rows *event"]:
        return x

    def inverse(self, x: Float[Tensor, "*rows"]) -> Float[Tensor, "*rows"]:
        return x


def made(images: int, **training: Any) -> Setting:
    recipe = recipe_of(Cell("mnist", 3, "mcem", images=images))
    chosen = recipe.training.model_copy(update=training)
    shown = TRUTH.draw(images).x
    schema = Schema(name="linear", kind="vector", event_shape=(6,), dtype="float64")
    split = InMemorySplit(shown)
    return Setting(
        recipe=recipe.model_copy(update={"training": chosen}),
        model=linear_vae(6, 3, scale="learned"),
        objective=ELBOSpec().build(),
        transform=Unchanged(schema),
        train=split,
        test=split,
    )


def learned(setting: Setting) -> float:
    """log p(x) of the training data under what was learned, exactly."""
    model = setting.model
    weight = linear_layer(model.decoder).weight.detach()
    mean = model.decoder.output_bias.detach()[0]
    scale = model.decode((torch.zeros(1, 1, 3).double(),)).stddev.flatten()[0].item()
    found = LinearModel(weight, mean, scale)
    return found.log_prob(setting.train.shard(0).x).mean().item()


def best(x: Tensor) -> float:
    """The largest likelihood of probabilistic PCA with three components."""
    spectrum = torch.linalg.eigvalsh(torch.cov(x.T, correction=0)).flip(0)
    spectrum[3:] = spectrum[3:].mean()
    return -0.5 * (6 * math.log(2 * math.pi) + spectrum.log().sum().item() + 6)


def test_trajectories_find_the_posterior() -> None:
    shown, source = TRUTH.draw(2), generator_for(0)
    shown = type(shown)(shown.x.repeat_interleave(500, dim=0))
    model, z = TRUTH.vae(), torch.randn(1000, 3, generator=source, dtype=torch.float64)
    rate = 0.0
    for _ in range(40):  # of a length that is no period of a dimension: 2 pi times its deviation
        z, rate = sampled(model, shown, z, math.log(0.13), 10, source)
    expected = TRUTH.posterior_mean(shown.x)
    # 500 chains of each example: five standard errors of a mean, and of a deviation.
    error = 5 * TRUTH.posterior_scale / 500**0.5
    assert ((z - expected).reshape(2, 500, 3).mean(1).abs() < error).all()
    spread = (z - expected).reshape(2, 500, 3).std(1)
    assert ((spread - TRUTH.posterior_scale).abs() < error).all()
    assert rate > 0.9


@pytest.mark.slow
def test_it_reaches_the_likelihood_of_pca() -> None:
    setting = made(1000, optimizer=AdamSpec(learning_rate=0.01))
    before = learned(setting)
    MonteCarloEM(setting).run(4000)
    goal = best(setting.train.shard(0).x)
    # Steps of 0.01 leave weights of order one some hundredths off, and so some hundredths of a nat.
    assert learned(setting) == pytest.approx(goal, abs=0.1)
    assert learned(setting) > before + 1.0


def test_only_the_generator_learns_and_acceptance_is_tuned() -> None:
    setting = made(200, optimizer=AdamSpec(learning_rate=0.01))
    encoder = [p.detach().clone() for p in setting.model.encoder.parameters()]
    decoder = [p.detach().clone() for p in setting.model.decoder.parameters()]
    algorithm = MonteCarloEM(setting)
    start = algorithm.log_size
    algorithm.run(50)
    for before, after in zip(encoder, setting.model.encoder.parameters(), strict=True):
        assert torch.equal(before, after)
    for before, after in zip(decoder, setting.model.decoder.parameters(), strict=True):
        assert not torch.equal(before, after)
    assert algorithm.log_size != start
    assert not setting.model.training
