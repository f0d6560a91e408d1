"""Decoders that are held fixed."""

from pathlib import Path
from typing import cast

import pytest
import torch
from studies.dynamics.small_cells import small_recipe

from vaekit.models import VAE
from vaekit.studies.dynamics.calibration import calibrated
from vaekit.studies.dynamics.cells import Cell, assembled
from vaekit.studies.dynamics.experiment import Experiment, held_out, probe_for
from vaekit.studies.dynamics.frozen import (
    FrozenDecoder,
    carry_out_frozen,
    frozen_recipe,
    shift_log_variance,
    take_over,
)
from vaekit.studies.dynamics.instruments import codes_of
from vaekit.studies.dynamics.measures import equilibria
from vaekit.training import Listener

CELL = Cell(epochs=1)


def trained_state() -> tuple[VAE, dict[str, torch.Tensor]]:
    """A model with statistics and biases that are not where they start."""
    parts = assembled(small_recipe(CELL))
    model, shown = cast(VAE, parts.model), held_out(parts)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "bias" in name:
                weight.add_(0.3)
    with calibrated(model, shown):
        state = {name: value.clone() for name, value in model.state_dict().items()}
    model.load_state_dict(state)
    return model.eval(), state


def test_a_folded_decoder_is_the_same_function() -> None:
    model, state = trained_state()
    fixed = cast(VAE, assembled(frozen_recipe(small_recipe(CELL), 1)).model)
    take_over(fixed, state)
    z = torch.randn(40, 2)
    assert torch.allclose(fixed.decoder(z), model.decoder(z), atol=1e-5)
    assert not any(weight.requires_grad for weight in fixed.decoder.parameters())
    assert all(weight.requires_grad for weight in fixed.encoder.parameters())


def test_a_shift_adds_to_every_log_variance() -> None:
    model, _ = trained_state()
    parts = assembled(small_recipe(CELL))
    with torch.no_grad():
        before = codes_of(model, held_out(parts)).log_variance
        shift_log_variance(model, 1.5)
        added = codes_of(model, held_out(parts)).log_variance - before
    assert torch.allclose(added, torch.full_like(added, 1.5), atol=0.01)  # the bound at forty


def test_training_does_not_move_the_decoder(tmp_path: Path) -> None:
    _, state = trained_state()
    recipe = frozen_recipe(small_recipe(CELL), 1)
    parts = assembled(recipe)
    take_over(cast(VAE, parts.model), state)
    decoder = {k: v.clone() for k, v in parts.model.state_dict().items() if "decoder" in k}
    encoder = parts.model.state_dict()["encoder.network.1.weight"].clone()
    experiment = Experiment(recipe, parts, tmp_path)
    experiment.run(probe_for(CELL, experiment.held_out), [0])
    assert all(
        torch.equal(v, decoder[k]) for k, v in parts.model.state_dict().items() if k in decoder
    )
    assert not torch.equal(encoder, parts.model.state_dict()["encoder.network.1.weight"])


def test_every_age_is_settled_from_both_sides(tmp_path: Path, small: None) -> None:
    task = FrozenDecoder(CELL, epochs=1)
    content = carry_out_frozen(task, tmp_path)
    assert [one["shift"] for one in content["decoders"]] == [1.5, -1.5] * 3
    for above, below in zip(content["decoders"][::2], content["decoders"][1::2], strict=True):
        assert above["log_variance"][0] - below["log_variance"][0] == pytest.approx(3.0, abs=0.05)
    assert len(equilibria(content)) == 3

    class Never(Listener):
        def started(self, plan) -> None:
            raise AssertionError("trained again")

    assert carry_out_frozen(task, tmp_path, [Never()]) == content
