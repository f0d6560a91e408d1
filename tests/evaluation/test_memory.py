"""What a decoded row takes, and that nothing that decodes takes many more rows than fit."""

from importlib import import_module

import pytest
import torch
from torch import Tensor

from vaekit.data import GreySpec, Observation, Rows, Statistics
from vaekit.evaluation import ReconstructionError, amortization_gap, memory, posterior_moments
from vaekit.evaluation.memory import chunks, rows_within
from vaekit.evaluation.pixels import sample_sharpness
from vaekit.likelihoods import CategoricalSpec
from vaekit.models import VAE, VAESpec
from vaekit.networks import MLPSpec
from vaekit.numerics import generator_for
from vaekit.priors import VampSpec
from vaekit.schema import Schema

SHAPE = (1, 4, 4)
SCHEMA = Schema(name="levels", kind="image", event_shape=SHAPE, dtype="uint8", low=0, high=7)
LEVELS = torch.randint(0, 8, (40, *SHAPE), generator=generator_for(0), dtype=torch.uint8)


@pytest.fixture
def model() -> VAE:
    torch.manual_seed(0)
    spec = VAESpec(
        latent_dim=2,
        encoder=MLPSpec(hidden=(4,)),
        decoder=MLPSpec(hidden=(4,)),
        likelihood=CategoricalSpec(levels=8),
    )
    return spec.build(SHAPE, Statistics(torch.full(SHAPE, 3.5), torch.ones(SHAPE))).eval()


def test_a_row_is_the_outputs_of_layers_and_four_times_the_parameters(model: VAE) -> None:
    # Encoder 4 (and its activation) and 2 x 2; decoder 4 twice and 8 for each of 16 values, whose
    # likelihood takes four more of these; 4 bytes each. Reshaping layers count once more.
    least, most = 4 * (4 + 4 + 4 + 5 * 128), 4 * (4 + 4 + 4 + 4 + 4 + 16 + 6 * 128)
    rows = rows_within(model, Observation(LEVELS.float()), 2**20)
    assert 2**20 // most <= rows <= 2**20 // least
    assert rows_within(model, Observation(LEVELS.float()), 1) == 1


def test_what_a_prior_encodes_for_itself_is_no_part_of_a_row(model: VAE) -> None:
    torch.manual_seed(0)
    spec = VAESpec(
        latent_dim=2,
        encoder=MLPSpec(hidden=(4,)),
        decoder=MLPSpec(hidden=(4,)),
        prior=VampSpec(components=30),
        likelihood=CategoricalSpec(levels=8),
    )
    vamp = spec.build(SHAPE, Statistics(torch.zeros(SHAPE), torch.ones(SHAPE), 0, LEVELS.float()))
    shown = Observation(LEVELS.float())
    assert rows_within(vamp.eval(), shown, 2**20) == rows_within(model, shown, 2**20)


def test_a_card_is_filled_to_a_quarter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (4000, 9000))
    assert memory._budget(torch.device("cuda")) == 1000
    assert memory._budget(torch.device("cpu")) == memory.BUDGET_BYTES


def test_chunks_are_all_examples_in_order() -> None:
    shown = Observation(LEVELS.float())
    for size in (0, 1, 7, 40, 99):
        parts = list(chunks(shown, size))
        assert torch.equal(Observation.join(parts).x, shown.x)
        assert max(map(len, parts)) <= max(size, 1)


def test_every_measure_keeps_to_the_budget_and_to_its_answer(
    model: VAE, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown, decoded = Observation(LEVELS.float()), list[int]()

    def measured() -> list[Tensor]:
        error = ReconstructionError(model, GreySpec().unfitted(SCHEMA), SCHEMA)
        error.update(Rows(LEVELS))
        sharp = sample_sharpness(model, GreySpec().unfitted(SCHEMA), SCHEMA, 30, generator_for(1))
        assert sharp is not None
        (moments,) = posterior_moments(model, [shown])
        gaps = amortization_gap(model, shown[:9], seed=0)
        return [torch.tensor([error.compute()["mse"], sharp]), moments.mean, gaps]

    gap = import_module("vaekit.evaluation.amortization_gap")
    monkeypatch.setattr(gap, "STEPS", 3)
    monkeypatch.setattr(gap, "SAMPLES_TO_MEASURE", 20)
    whole = measured()
    monkeypatch.setattr(memory, "BUDGET_BYTES", 17 * 4000)
    model.decoder.register_forward_hook(lambda _, z, __: decoded.append(z[0][..., 0].numel()))
    for old, new in zip(whole, measured(), strict=True):
        # float32 matrix products add in another order in another batch.
        torch.testing.assert_close(new, old, rtol=1e-5, atol=1e-5)
    assert max(decoded) <= 17 * 4000 // (4 * 5 * 128)
