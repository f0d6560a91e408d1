"""The lesson's step is what vaekit itself computes: its model, its objective, its optimiser."""

import pytest
import torch
from linear_model import linear_layer, linear_vae

from vaekit.data import Observation
from vaekit.lesson import Parameters, Setting, by_hand, forward, updated
from vaekit.models import VAE
from vaekit.numerics import inverse_smooth_bound
from vaekit.objectives import ELBOSpec

PARAMETERS, SETTING = Parameters(), Setting(x=1.4, epsilon=-0.7, beta=2.0)


def as_vae() -> VAE:
    """A VAE of vaekit with the lesson's parameters.

    The encoder gives log sigma = s / 2 before the smooth bound, whose effect at this x is put
    into the bias; so its weight is zero, and s the same as the lesson's.
    """
    model = linear_vae(1, 1, scale=SETTING.likelihood_scale)
    log_scale = torch.tensor(forward(PARAMETERS, SETTING).log_variance / 2, dtype=torch.float64)
    raw = inverse_smooth_bound(log_scale, 7.0)
    into, out = linear_layer(model.encoder), linear_layer(model.decoder)
    with torch.no_grad():
        into.weight.copy_(torch.tensor([[PARAMETERS.mu_weight], [0.0]]))
        into.bias.copy_(torch.stack([torch.tensor(PARAMETERS.mu_bias, dtype=torch.float64), raw]))
        out.weight.copy_(torch.tensor([[PARAMETERS.decoder_weight]]))
        model.decoder.output_bias.fill_(PARAMETERS.decoder_bias)
    return model


def loss_of(model: VAE) -> torch.Tensor:
    x = torch.tensor([[SETTING.x]], dtype=torch.float64)
    noise = torch.tensor([[[SETTING.epsilon]]], dtype=torch.float64)
    objective = ELBOSpec.model_validate({"beta": SETTING.beta}).build()
    terms = objective(model, Observation(x), {"beta": SETTING.beta}, noise=(noise,))
    return terms.losses["model"]


def test_loss_and_gradients() -> None:
    model = as_vae()
    loss = loss_of(model)
    loss.backward()
    passed, hand = forward(PARAMETERS, SETTING), by_hand(PARAMETERS, SETTING)
    # float32 is nowhere in between but in the numbers of the model's spec, such as log tau.
    assert loss.item() == pytest.approx(passed.loss, abs=1e-7)
    into, out = linear_layer(model.encoder), linear_layer(model.decoder)
    assert into.weight.grad is not None
    assert into.bias.grad is not None
    assert out.weight.grad is not None
    assert model.decoder.output_bias.grad is not None
    # Through log sigma = 7 tanh(raw / 7): d log sigma / d raw = 1 - (log sigma / 7)^2.
    bend = 1 - (passed.log_variance / 2 / 7) ** 2
    found = [
        into.weight.grad[0].item(),
        into.bias.grad[0].item(),
        into.weight.grad[1].item() / (2 * bend),
        into.bias.grad[1].item() / (2 * bend),
        out.weight.grad.item(),
        model.decoder.output_bias.grad.item(),
    ]
    assert found == pytest.approx(hand.values(), abs=1e-7)


def test_update() -> None:
    model = as_vae()
    optimizer = torch.optim.SGD(model.parameters(), lr=SETTING.learning_rate)
    loss_of(model).backward()
    optimizer.step()
    after = updated(PARAMETERS, by_hand(PARAMETERS, SETTING), SETTING)
    assert linear_layer(model.encoder).bias[0].item() == pytest.approx(after.mu_bias, abs=1e-7)
    weight = linear_layer(model.decoder).weight.item()
    assert weight == pytest.approx(after.decoder_weight, abs=1e-7)
