"""The amortization gap of the linear model is the KL from the exact posterior."""

import pytest
import torch
from linear_model import linear_model

from vaekit.evaluation import amortization_gap

TRUTH = linear_model()
SHOWN = TRUTH.draw(20)


@pytest.mark.parametrize(("shift", "stretch"), [(0.3, 1.0), (0.0, 1.6), (-0.4, 0.6)])
def test_gap_is_the_kl_from_the_best_q(shift: float, stretch: float) -> None:
    gaps = amortization_gap(TRUTH.vae(shift, stretch), SHOWN, seed=0)
    ratio = torch.tensor(stretch).log()
    # KL(N(m + shift, (stretch s)^2) || N(m, s^2)), and the model's family contains N(m, s^2).
    exact = 0.5 * (stretch**2 - 1 - 2 * ratio + (shift / TRUTH.posterior_scale) ** 2).sum()
    # The two ELBOs share 500 samples; what is left of their noise is a few hundredths of a nat.
    torch.testing.assert_close(gaps.mean(), exact.double(), rtol=0, atol=0.03)


def test_exact_posterior_has_no_gap() -> None:
    gaps = amortization_gap(TRUTH.vae(), SHOWN, seed=0)
    assert gaps.abs().max() < 0.05
    assert (gaps < 0).any()  # a loss stands as it was found
    assert gaps.mean().item() <= 1e-3  # and nothing is gained by fitting noise


def test_weights_and_modes_stay_as_they_are() -> None:
    model = TRUTH.vae(0.3).eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    told: list[float] = []
    amortization_gap(model, SHOWN[:3], 0, told.append)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert told[-1] == 1
