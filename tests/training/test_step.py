"""One update: clipping, skipping, accumulation."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor
from training.objectives import Scripted
from training.small_run import MODEL, NETWORK, SPEC, changed, small_data, small_model, small_run

from vaekit.data import Observation, Statistics
from vaekit.errors import DivergenceError
from vaekit.models import Model
from vaekit.networks import MLPSpec
from vaekit.numerics import draw_noise, generator_for
from vaekit.objectives import DReGSpec, ELBOSpec, IWAESpec, Objective, STLSpec, VAEGANSpec
from vaekit.training import read_metrics
from vaekit.training.step import Update, Updater

STILL = NETWORK.model_copy(update={"dropout": 0.0})  # dropout draws anew for every piece
SMOOTH = MODEL.model_copy(update={"encoder": STILL, "decoder": STILL})
RATE = 0.5


def spec_of(**settings: Any) -> Any:
    """Plain gradient descent, so that an update is minus the rate times the gradient."""
    return changed(optimizer={"kind": "sgd", "learning_rate": RATE}, **settings)


def observation() -> Observation:
    data = small_data()
    return data.transform(data.batches(0, 0), generator_for(0))


def update(
    objective: Objective | None = None, factor: float = 1.0, **settings: Any
) -> tuple[Update, Tensor, Model]:
    """An update of the same model with the same batch and noise; the change of the weights."""
    model, batch = small_model(SMOOTH), observation()
    objective = objective or ELBOSpec().build()
    noise = draw_noise(model.noise_spec(len(batch), objective.num_samples), generator_for(1))
    updater = Updater(model, objective, spec_of(**settings))
    before = flat(model)
    done = updater(0, batch, noise, objective.schedule(0.0), factor)
    return done, flat(model) - before, model


def flat(model: Model) -> Tensor:
    return torch.cat([weight.detach().flatten() for weight in model.parameters()])


def gradient(**choices: Any) -> Tensor:
    return -update(**choices)[1].double() / RATE


def test_a_plain_update_is_minus_the_rate_times_the_gradient() -> None:
    done, change, model = update()
    now = torch.cat([w.grad.flatten() for w in model.parameters() if w.grad is not None])
    assert done.applied
    # The change is a difference of weights up to 2, which float32 knows to 1e-7.
    torch.testing.assert_close(change, -RATE * now, rtol=1e-5, atol=5e-7)
    assert done.reported["loss_nats"] == pytest.approx(-done.reported["elbo_nats"], rel=1e-6)


def test_the_schedule_scales_the_update() -> None:
    torch.testing.assert_close(gradient(factor=0.1), 0.1 * gradient(), rtol=1e-4, atol=1e-6)


def test_a_long_gradient_is_scaled_down() -> None:
    whole = gradient()
    limit = float(whole.norm()) / 3
    clipped = gradient(gradient={"clip_norm": limit})
    # clip_grads_with_norm_ adds 1e-6 to the norm it divides by.
    assert float(clipped.norm()) == pytest.approx(limit, rel=1e-4)
    torch.testing.assert_close(clipped, whole / 3, rtol=1e-3, atol=2e-6)


def test_a_short_gradient_is_left_alone() -> None:
    limit = float(gradient().norm()) * 1.01
    assert torch.equal(gradient(gradient={"clip_norm": limit}), gradient())


@pytest.mark.parametrize(("times", "applied"), [(0.99, False), (1.01, True)])
def test_an_update_is_skipped_by_its_length(times: float, applied: bool) -> None:
    limit = float(gradient().norm()) * times
    done, change, _ = update(gradient={"skip_norm": limit, "clip_norm": limit / 2})
    assert done.applied == applied
    assert bool(change.any()) == applied
    # Skipping looks at the length before clipping, and what it skips is reported all the same.
    norm = pytest.approx(float(gradient().norm()), rel=1e-5)
    assert done.reported == {**update()[0].reported, "gradient_norm": norm}


def test_norms_are_in_the_log(tmp_path: Path) -> None:
    # With a limit the average since the last line, else the norm of the newest update alone.
    limited, free = changed(gradient={"clip_norm": 1e9}), SPEC
    logs = []
    for name, spec in {
        "limited": limited,
        "free": free,
        "each": changed(log_every_steps=1),
    }.items():
        small_run(tmp_path / name, spec).run()
        log = read_metrics(tmp_path / name / "metrics.jsonl")
        logs.append({r["step"]: r["gradient_norm"] for r in log if r["kind"] == "training"})
    averages, newest, each = logs
    assert newest == {step: each[step] for step in newest}
    assert averages[4] == pytest.approx(sum(each[step] for step in range(1, 5)) / 4)


def test_a_skipped_update_does_not_touch_the_average() -> None:
    model, batch = small_model(SMOOTH), observation()
    updater = Updater(model, ELBOSpec().build(), spec_of(gradient={"skip_norm": 1e-9}))
    for average in updater.average.averages:
        average.fill_(5.0)
    noise = draw_noise(model.noise_spec(len(batch)), generator_for(1))
    assert not updater(0, batch, noise, {"beta": 1.0}, 1.0).applied
    assert all((average == 5.0).all() for average in updater.average.averages)


def test_skips_are_counted() -> None:
    objective = Scripted(lambda step, loss, model: loss * (1e6 if step in (3, 9, 10) else 1.0))
    spec = changed(gradient={"skip_norm": 1e4}, log_every_steps=1000)
    # A loss times a million is off course as well: the average of an epoch is compared with
    # that of the first one, which had its share.
    assert small_run(None, spec, objective=objective).run().updates_skipped == 3


@pytest.mark.parametrize("setting", ["clip_norm", "skip_norm"])
def test_a_gradient_that_is_not_finite_is_never_skipped_in_silence(setting: str) -> None:
    objective = Scripted(lambda step, loss, model: loss + (loss * 0.0).sqrt())
    with pytest.raises(DivergenceError, match="the gradient of the next update is not finite"):
        update(objective, gradient={setting: 1.0})


@pytest.mark.parametrize("pieces", [2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize(
    "objective",
    [
        ELBOSpec().build(),
        ELBOSpec(num_samples=3).build(),
        IWAESpec(num_samples=3).build(),
        DReGSpec(num_samples=3).build(),
        STLSpec().build(),
    ],
    ids=["ELBO", "3 samples", "IWAE", "DReG", "STL"],
)
def test_pieces_make_the_whole(objective: Objective, pieces: int) -> None:
    """Seven examples: in 2 pieces 4 + 3, in 3 pieces 3 + 3 + 1, in 4 pieces 2 + 2 + 2 + 1."""
    whole, expected, _ = update(objective)
    done, change, _ = update(objective, accumulate=pieces)
    # Sums of the same numbers in another order, in float32; the wrong share for the last
    # piece would be off by tens of per cent.
    torch.testing.assert_close(change, expected, rtol=1e-4, atol=1e-6)
    assert done.reported.keys() == whole.reported.keys()
    for name, value in whole.reported.items():
        assert done.reported[name] == pytest.approx(value, rel=1e-5, abs=1e-6)


def test_free_bits_act_on_the_mean_of_a_piece() -> None:
    """The floor is on a batch's mean, and pieces have means of their own: the loss differs.

    max is convex, so a floor under the mean of each piece costs as much or more than one
    under the mean of all. What is reported is the bound itself, whatever the floor.
    """
    kl = update()[0].reported["kl_nats"] / MODEL.latent_dim
    objective = ELBOSpec(free_bits=kl).build()  # between what the pieces have
    whole, change, _ = update(objective)
    done, other, _ = update(objective, accumulate=7)
    assert done.reported["loss_nats"] > whole.reported["loss_nats"] + 1e-3
    assert (other - change).norm() > 1e-3
    assert done.reported["elbo_nats"] == pytest.approx(whole.reported["elbo_nats"], rel=1e-5)


def test_more_pieces_than_examples_are_refused() -> None:
    with pytest.raises(ValidationError, match="pieces of less than one example"):
        changed(batch_size=7, accumulate=8)


def test_pieces_are_small() -> None:
    sizes: list[int] = []

    class Measuring(Scripted):
        def forward(self, model: Any, observation: Observation, *rest: Any, **more: Any) -> Any:
            sizes.append(len(observation))
            return super().forward(model, observation, *rest, **more)

    update(Measuring(lambda step, loss, model: loss), accumulate=3)
    assert sizes == [3, 3, 1]


def test_a_batch_is_cut_with_all_that_belongs_to_it() -> None:
    batch = Observation(torch.rand(7, 2), c=torch.arange(7.0)[:, None], mask=torch.rand(7, 2) > 0.5)
    updater = Updater(small_model(), ELBOSpec().build(), spec_of(accumulate=3))
    noise = (torch.arange(14.0).reshape(2, 7, 1),)
    pieces = [*updater._pieces(batch, noise)]
    assert math.isclose(sum(share for share, _, _ in pieces), 1.0)
    assert torch.equal(torch.cat([piece.x for _, piece, _ in pieces]), batch.x)
    for _, piece, (layer,) in pieces:
        assert piece.c is not None
        assert piece.mask is not None
        assert torch.equal(layer[0], piece.c)  # noise stays with its example
        assert torch.equal(layer[1], piece.c + 7)
        assert piece.mask.shape == piece.x.shape


def test_gradients_do_not_add_up_over_steps() -> None:
    model, batch = small_model(SMOOTH), observation()
    updater = Updater(model, ELBOSpec().build(), spec_of(gradient={"skip_norm": 1e-9}))
    noise = draw_noise(model.noise_spec(len(batch)), generator_for(1))
    lengths = []
    for step in range(2):
        updater(step, batch, noise, {"beta": 1.0}, 1.0)
        lengths.append([w.grad.norm() for w in model.parameters() if w.grad is not None])
    assert lengths[0] == lengths[1]
    updater.forget_gradients()
    assert all(weight.grad is None for weight in model.parameters())


def test_parts_that_are_held_stay_while_an_opponent_learns() -> None:
    model = small_model(SMOOTH)
    seen = Statistics(torch.full((1, 2, 3), 0.5), torch.full((1, 2, 3), 0.4))
    network = MLPSpec(hidden=(8,), activation="leaky_relu")
    opponent = VAEGANSpec(discriminator=network).build(seen)
    updater = Updater(model, opponent, spec_of())
    noise = draw_noise(model.noise_spec(7), generator_for(1))
    for held in (model.decoder, model):
        held.requires_grad_(False)
        before = [weight.clone() for weight in held.parameters()]
        old = next(opponent.parameters()).clone()
        updater(0, observation(), noise, opponent.schedule(0.0), 1.0)
        assert all(map(torch.equal, before, held.parameters()))
        assert not torch.equal(old, next(opponent.parameters()))
