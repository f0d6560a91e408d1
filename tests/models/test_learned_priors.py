"""What a learned prior or a bent posterior is for, on problems where it must show.

A linear decoder under a standard normal prior makes Gaussian data, whatever its weights; two
clusters are no such data, and a prior that can be two clusters explains them.
"""

import math
from typing import Any

import pytest
import torch

from vaekit.data import Observation, Statistics
from vaekit.models import VAE, VAESpec
from vaekit.numerics import generator_for, log_mean_exp

VALUES, LATENT, SIGMA, APART = 4, 2, 0.5, 3.0
LINEAR: dict[str, Any] = {"kind": "mlp", "hidden": ()}
PRIORS: dict[str, dict[str, Any]] = {
    "mixture": {"kind": "mixture", "components": 4},
    "real_nvp": {"kind": "real_nvp", "layers": 4, "hidden": (16,)},
}


def clusters(n: int = 200) -> Observation:
    """Half of the examples at +APART in every value, half at -APART, with noise of SIGMA."""
    sign = torch.tensor([-1.0, 1.0]).repeat(n // 2).unsqueeze(1)
    noise = torch.randn(n, VALUES, generator=generator_for(0, "clusters"))
    return Observation(APART * sign + SIGMA * noise)


def trained(prior: dict[str, Any], steps: int = 400) -> VAE:
    spec = VAESpec.model_validate(
        {
            "latent_dim": LATENT,
            "encoder": {"kind": "mlp", "hidden": (16,)},
            "decoder": LINEAR,
            "prior": prior,
            "likelihood": {"kind": "gaussian", "scale": SIGMA},
        }
    )
    torch.manual_seed(0)
    spread = torch.full((VALUES,), math.hypot(APART, SIGMA))
    model = spec.build((VALUES,), Statistics(torch.zeros(VALUES), spread))
    optimizer, shown = torch.optim.Adam(model.parameters(), lr=0.02), clusters()
    for step in range(steps):
        loss = -model.infer(shown, 4, generator=generator_for(step)).log_weights().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


@torch.no_grad()
def nll_nats(model: VAE) -> float:
    log_weights = model.infer(clusters(), 200, generator=generator_for(1)).log_weights()
    return -log_mean_exp(log_weights).mean().item()


@pytest.mark.parametrize("kind", PRIORS)
def test_clusters_are_explained_better_than_any_gaussian_could(kind: str) -> None:
    # No Gaussian is more probable than the one of the data's own moments: 5.4 nats. Two clusters
    # cost 2.9 nats for the noise and ln 2 for the choice of one.
    moments = torch.cov(clusters().x.T, correction=0)
    best_gaussian = 0.5 * torch.logdet(2 * math.pi * math.e * moments).item()
    assert best_gaussian == pytest.approx(5.4, abs=0.1)
    assert nll_nats(trained(PRIORS[kind])) < best_gaussian - 0.9


def test_no_linear_model_beats_the_gaussian() -> None:
    """What the test above would say of a likelihood that flatters."""
    moments = torch.cov(clusters().x.T, correction=0)
    best_gaussian = 0.5 * torch.logdet(2 * math.pi * math.e * moments).item()
    assert nll_nats(trained({"kind": "standard_normal"})) > best_gaussian - 0.05
