"""Objectives that compare features: who feels which loss, and what they are."""

from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor
from torch.nn.functional import softplus

from vaekit.data import Observation, Statistics
from vaekit.errors import ArtifactError, SpecError
from vaekit.models import VAE, VAESpec
from vaekit.networks import MLPSpec
from vaekit.numerics import draw_noise, generator_for
from vaekit.objectives import (
    VAEGAN,
    ConstantBeta,
    FeatureLossSpec,
    Terms,
    VAEGANSpec,
    bound_notes,
)
from vaekit.training import TrainingSpec
from vaekit.training.step import Updater

SMALL = MLPSpec(hidden=(8,))
STATISTICS = Statistics(
    torch.full((1, 3, 3), 0.3),
    torch.full((1, 3, 3), 0.4),
    examples=torch.rand(20, 1, 3, 3, generator=generator_for(9)),
)
SHOWN = Observation(torch.rand(16, 1, 3, 3, generator=generator_for(1)))


def model() -> VAE:
    torch.manual_seed(0)
    spec = VAESpec(latent_dim=2, encoder=SMALL, decoder=SMALL)
    return spec.build((1, 3, 3), STATISTICS)


def objective(**settings: Any) -> VAEGAN:
    torch.manual_seed(1)
    chosen = {"discriminator": {"kind": "mlp", "hidden": (8,)}, **settings}
    return VAEGANSpec.model_validate(chosen).build(STATISTICS)


def terms(vae: VAE, gan: VAEGAN, epoch: float = 0.0) -> Terms:
    return gan(vae, SHOWN, gan.schedule(epoch), generator=generator_for(2))


def gradients(loss: Tensor, module: torch.nn.Module) -> list[Tensor | None]:
    parameters = list(module.parameters())
    return list(torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True))


def test_its_value_is_no_bound_and_it_reports_the_one_there_is() -> None:
    assert not VAEGANSpec().is_bound


def test_a_small_weight_of_the_kl_is_said_to_make_samples_useless() -> None:
    full, weak = bound_notes(VAEGANSpec()), bound_notes(VAEGANSpec(beta=ConstantBeta(value=0.01)))
    assert len(full) == 1
    assert len(weak) == 2
    assert "0.01" in weak[1]
    assert "samples from the prior say little" in weak[1]
    found = terms(model(), objective()).reported
    assert found["elbo_nats"] == found["expected_log_likelihood_nats"] - found["kl_nats"]


def test_the_encoder_does_not_feel_the_opponent() -> None:
    vae = model()
    weak, strong = (
        gradients(terms(vae, objective(adversarial_weight=w)).losses["model"], vae.encoder)
        for w in (0.0, 100.0)
    )
    for a, b in zip(weak, strong, strict=True):
        assert a is not None
        assert b is not None
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


def test_the_decoder_does() -> None:
    vae = model()
    weak, strong = (
        gradients(terms(vae, objective(adversarial_weight=w)).losses["model"], vae.decoder)
        for w in (0.0, 100.0)
    )
    pairs = zip(weak, strong, strict=True)
    assert not any(torch.allclose(a, b) for a, b in pairs if a is not None and b is not None)


def test_nobody_but_the_discriminator_feels_its_loss() -> None:
    vae, gan = model(), objective()
    loss = terms(vae, gan).losses["discriminator"]
    assert all(gradient is not None for gradient in gradients(loss, gan))
    groups = gan.parameter_groups()
    assert {id(p) for p in groups["discriminator"]} == {id(p) for p in gan.parameters()}


def test_losses_are_what_they_are_called() -> None:
    """Written out once more, for a discriminator that says what it is told."""
    vae, gan = model(), objective(adversarial_weight=3.0, feature_weight=2.0, beta=0.5)
    gan.eval()  # no power iteration between the calls
    found = terms(vae, gan)
    source = generator_for(2)
    inference = vae.infer(SHOWN, 1, generator=source)
    fresh = vae.sample(16, generator=source).mean
    images = (SHOWN.x, inference.likelihood.mean[0], fresh)
    data, rebuilt, sampled = (gan.discriminator((x - 0.3) / 0.4) for x in images)
    kl = inference.kl[0].sum(-1).mean()
    error = 0.5 * (data.features[0] - rebuilt.features[0]).square().sum(1).mean()
    deceived = (softplus(-rebuilt.logits).mean() + softplus(-sampled.logits).mean()) / 2
    torch.testing.assert_close(found.losses["model"], 0.5 * kl + 2 * error + 3 * deceived)
    caught = (softplus(rebuilt.logits).mean() + softplus(sampled.logits).mean()) / 2
    expected = softplus(-data.logits).mean() + caught
    torch.testing.assert_close(found.losses["discriminator"], expected)
    torch.testing.assert_close(found.reported["feature_error_nats"], error.detach())


def test_the_opponent_joins_late() -> None:
    gan = objective(adversarial_after=2.0, adversarial_weight=7.0)
    assert gan.schedule(1.9)["adversarial_weight"] == 0.0
    assert gan.schedule(2.0)["adversarial_weight"] == 7.0


def test_what_was_not_observed_is_not_looked_at() -> None:
    vae, gan = model(), objective().eval()
    mask = torch.rand(16, 1, 3, 3, generator=generator_for(5)) > 0.3
    first, other = (
        gan(
            vae,
            Observation(x.where(mask, torch.tensor(lost)), mask=mask),
            gan.schedule(0.0),
            generator=generator_for(2),
        )
        for x, lost in ((SHOWN.x, 0.0), (SHOWN.x, 1e3))
    )
    for name, loss in first.losses.items():
        torch.testing.assert_close(loss, other.losses[name])


def test_both_sides_take_their_own_steps() -> None:
    vae, gan = model(), objective()
    spec = TrainingSpec.model_validate(
        {
            "device": "cpu",
            "precision": "float32",
            "threads": 1,
            "optimizer": {"kind": "sgd", "learning_rate": 0.1},
            "group_optimizers": {"discriminator": {"kind": "sgd", "learning_rate": 0.4}},
        }
    )
    updater = Updater(vae, gan, spec)
    noise = draw_noise(vae.noise_spec(16), generator_for(3))
    before = {
        "model": [*map(torch.clone, vae.parameters())],
        "discriminator": [*map(torch.clone, gan.parameters())],
    }
    done = updater(0, SHOWN, noise, gan.schedule(0.0), 0.5)
    assert {"loss_nats", "discriminator_loss_nats"} <= done.reported.keys()
    for group, rate in (("model", 0.05), ("discriminator", 0.2)):
        for old, new in zip(before[group], updater.groups[group], strict=True):
            if new.grad is not None:
                torch.testing.assert_close(new.detach(), old - rate * new.grad)
    assert updater.unreported_norms(1).keys() == {"gradient_norm", "discriminator_gradient_norm"}
    # Neither felt the loss of the other: alone, each gets the same gradient.
    alone = gan(vae, SHOWN, gan.schedule(0.0), noise)
    assert alone.losses.keys() == updater.groups.keys()


def test_an_optimiser_for_nobody_is_refused() -> None:
    spec = TrainingSpec.model_validate({"group_optimizers": {"critic": {"kind": "adam"}}})
    with pytest.raises(SpecError, match="no parameter group 'critic'"):
        Updater(model(), objective(), spec)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"discriminator": {"kind": "mlp", "normalization": "batch"}}, "normalization = 'batch'"),
        ({"feature_weight": 0.0}, "nothing would compare"),
    ],
)
def test_what_cannot_learn_is_refused(settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        VAEGANSpec.model_validate(settings)


# -- features of a fixed network ----------------------------------------------------------------


def feature_loss(**settings: Any) -> Any:
    torch.manual_seed(1)
    chosen = {"network": {"kind": "mlp", "hidden": (8,)}, **settings}
    return FeatureLossSpec.model_validate(chosen).build(STATISTICS)


def test_the_network_stays_fixed() -> None:
    vae, loss = model(), feature_loss().train()
    assert not loss.network.training
    assert not FeatureLossSpec().is_bound
    assert loss.parameter_groups() == {}
    spec = TrainingSpec.model_validate({"device": "cpu", "precision": "float32", "threads": 1})
    updater = Updater(vae, loss, spec)
    assert {id(p) for p in updater.groups["model"]} == {id(p) for p in vae.parameters()}


def test_distances_are_in_units_of_each_layers_spread() -> None:
    loss = feature_loss(feature_weight=2.0, beta=0.0)
    assert STATISTICS.examples is not None
    hidden = loss.network[:3]((STATISTICS.examples - 0.3) / 0.4)
    torch.testing.assert_close(loss.spreads[0], hidden.std(unbiased=False))
    vae = model()
    found = loss(vae, SHOWN, {"beta": 0.0}, generator=generator_for(2))
    rebuilt = vae.infer(SHOWN, 1, generator=generator_for(2)).likelihood.mean[0]
    here, there = (loss.network[:3]((x - 0.3) / 0.4) / loss.spreads[0] for x in (SHOWN.x, rebuilt))
    expected = 2.0 * 0.5 * (here - there).square().sum(1).mean()
    torch.testing.assert_close(found.losses["model"], expected)


def test_a_missing_artifact_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="none"):
        feature_loss(artifact=tmp_path / "none")
