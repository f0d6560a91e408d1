"""A discriminator cannot be steeper than one, and says what it looks at."""

import math

import pytest
import torch
from torch import Tensor, nn

from vaekit.networks import ConvSpec, Discriminator, MLPSpec, feature_error, hidden_layers

NETWORKS = {
    "mlp": MLPSpec(hidden=(12, 7), activation="leaky_relu").build_encoder((1, 8, 8), 1),
    "conv": ConvSpec(channels=(3, 5), hidden=6).build_encoder((1, 8, 8), 1),
}


def weights(discriminator: Discriminator) -> list[Tensor]:
    layers = [m for m in discriminator.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    return [layer.weight.flatten(1) for layer in layers]


def discriminator(kind: str) -> Discriminator:
    torch.manual_seed(0)
    found = Discriminator(
        {"mlp": MLPSpec(hidden=(12, 7)), "conv": ConvSpec(channels=(3, 5), hidden=6)}[
            kind
        ].build_encoder((1, 8, 8), 1)
    )
    return found.double()


@pytest.mark.parametrize("kind", NETWORKS)
def test_every_layer_has_norm_one(kind: str) -> None:
    found = discriminator(kind)
    for _ in range(
        300
    ):  # power iteration converges with the ratio of the first two singular values
        found(torch.randn(2, 1, 8, 8, dtype=torch.float64))
    for weight in weights(found.eval()):
        assert torch.linalg.matrix_norm(weight, 2).item() == pytest.approx(1.0, abs=1e-6)


def test_norm_is_about_one_from_the_first_step_on_and_stays_so_while_weights_move() -> None:
    found = discriminator("mlp")
    optimizer = torch.optim.SGD(found.parameters(), lr=0.01)
    for _ in range(10):
        # The estimate of the norm is from below, and lags behind by a step.
        norms = [torch.linalg.matrix_norm(weight.detach(), 2).item() for weight in weights(found)]
        assert all(0.99 < norm < 1.1 for norm in norms)
        optimizer.zero_grad()
        found(torch.randn(8, 1, 8, 8, dtype=torch.float64)).logits.mean().backward()
        optimizer.step()


def test_a_dense_discriminator_is_no_steeper_than_one() -> None:
    found = discriminator("mlp")
    for _ in range(300):
        found(torch.randn(2, 1, 8, 8, dtype=torch.float64))
    x = (10 * torch.randn(64, 1, 8, 8, dtype=torch.float64)).requires_grad_()
    (slope,) = torch.autograd.grad(found.eval()(x).logits.sum(), x)
    assert slope.flatten(1).norm(dim=1).max().item() <= 1.0 + 1e-6


@pytest.mark.parametrize(
    ("kind", "shapes"), [("mlp", [(12,), (7,)]), ("conv", [(3, 4, 4), (5 * 2 * 2,), (6,)])]
)
def test_features_are_the_hidden_layers(kind: str, shapes: list[tuple[int, ...]]) -> None:
    network, x = NETWORKS[kind], torch.randn(3, 1, 8, 8)
    answer, features = hidden_layers(network, x)
    assert torch.equal(answer, network(x))
    assert [tuple(layer.shape[1:]) for layer in features] == shapes
    if kind == "mlp":
        assert torch.equal(features[0], network[:3](x))


def test_error_is_half_the_squared_distance_over_all_layers() -> None:
    here = (torch.tensor([[1.0, 2.0], [0.0, 0.0]]), torch.zeros(2, 1, 2, 2))
    there = (torch.tensor([[0.0, 0.0], [0.0, 0.0]]), torch.ones(2, 1, 2, 2))
    assert feature_error(here, there).tolist() == [0.5 * (1 + 4) + 0.5 * 4, 0.5 * 4]
    gap = -torch.distributions.Normal(here[0], 1.0).log_prob(there[0]).sum(1)
    constant = math.log(2 * math.pi)
    expected = feature_error(here[:1], there[:1]) + constant
    torch.testing.assert_close(gap, expected)
