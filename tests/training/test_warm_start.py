"""Starting from what another run kept."""

import signal
from pathlib import Path
from typing import Any, final

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor
from training.small_run import (
    MODEL,
    STEPS_PER_EPOCH,
    TOTAL_STEPS,
    SignalAfter,
    built,
    changed,
    small_model,
    small_run,
)

from vaekit.data import Observation
from vaekit.errors import ArtifactError, Interrupted, SpecError
from vaekit.models import Model, VQVAESpec
from vaekit.networks import MLPSpec
from vaekit.numerics import generator_for
from vaekit.training import Frozen, Listener, Record, Training, WarmStartSpec, warm_start
from vaekit.training.captured import obstacle
from vaekit.training.listener import Audience


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("other")
    small_run(folder, changed(optimizer={"kind": "adam", "learning_rate": 0.01})).run()
    return folder


@pytest.fixture(scope="module")
def kept(other: Path) -> dict[str, Tensor]:
    """What the other run ended with: with its checkpoint finished, it only loads it."""
    training = small_run(other)
    training.run()
    return training.model.state_dict()


def fresh(**settings: Any) -> Model:
    return small_model(MODEL.model_copy(update=settings))


def copied(model: Model) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def changed_names(before: dict[str, Tensor], model: Model) -> set[str]:
    return {n for n, tensor in model.state_dict().items() if not torch.equal(tensor, before[n])}


def test_everything(other: Path, kept: dict[str, Tensor]) -> None:
    model = fresh()
    assert changed_names(kept, model)
    warm_start(model, WarmStartSpec(run=other))
    assert changed_names(kept, model) == set()


@pytest.mark.parametrize("parts", [("encoder",), ("decoder",), ("encoder", "decoder")])
def test_the_parts_that_were_asked_for(
    parts: tuple[str, ...], other: Path, kept: dict[str, Tensor]
) -> None:
    model = fresh()
    before = copied(model)
    warm_start(model, WarmStartSpec(run=other, parts=parts))
    learnt = changed_names(kept, fresh())
    assert changed_names(before, model) == {n for n in learnt if n.split(".")[0] in parts}
    assert changed_names(kept, model) == {n for n in learnt if n.split(".")[0] not in parts}


def test_a_part_of_a_part(other: Path, kept: dict[str, Tensor]) -> None:
    model = fresh()
    before = copied(model)
    name = next(name for name, _ in model.named_parameters() if name.endswith(".weight"))
    warm_start(model, WarmStartSpec(run=other, parts=(name.removesuffix(".weight"),)))
    names = changed_names(before, model)
    assert name in names
    assert all(n.startswith(name.removesuffix("weight")) for n in names)
    assert torch.equal(model.state_dict()[name], kept[name])


def test_a_decoder_of_another_size_does_not_matter_where_it_is_not_taken(other: Path) -> None:
    model = fresh(decoder=MLPSpec(hidden=(5,)))
    before = copied(model)
    warm_start(model, WarmStartSpec(run=other, parts=("encoder",)))
    assert {name.split(".")[0] for name in changed_names(before, model)} == {"encoder"}


@pytest.mark.parametrize(
    ("part", "remedy"),
    [("encodre", "did you mean 'encoder'?"), ("enc", None), ("xyz", None)],
)
def test_a_part_that_does_not_exist(part: str, remedy: str | None, other: Path) -> None:
    with pytest.raises(SpecError, match=f"no part '{part}' in the model") as raised:
        warm_start(fresh(), WarmStartSpec(run=other, parts=("encoder", part)))
    assert "encoder, " in str(raised.value)
    assert "decoder" in str(raised.value)
    assert remedy is None or remedy in str(raised.value)


def test_a_part_that_the_other_run_lacks(other: Path) -> None:
    class Larger(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder, self.flow = fresh().encoder, torch.nn.Linear(2, 2)

    with pytest.raises(SpecError, match=f"no part 'flow' in the run {other}"):
        warm_start(Larger(), WarmStartSpec(run=other, parts=("flow",)))


@pytest.mark.parametrize("parts", [(), ("encoder",), ("decoder",)])
def test_what_does_not_fit_is_named_and_nothing_is_changed(
    parts: tuple[str, ...], other: Path
) -> None:
    model = fresh(latent_dim=3)
    before = copied(model)
    with pytest.raises(SpecError, match="do not fit this model") as raised:
        warm_start(model, WarmStartSpec(run=other, parts=parts))
    message = str(raised.value)
    assert str(other) in message
    shapes = {  # the encoder gives two parameters per latent dimension, the decoder takes one
        "encoder": ["(6, 8) here, (4, 8) in the other run", "(6,) here, (4,) in the other run"],
        "decoder": ["(8, 3) here, (8, 2) in the other run"],
    }
    for part, words in shapes.items():
        for word in words:
            assert (word in message) == (not parts or part in parts)
    assert changed_names(before, model) == set()


def test_a_network_of_another_depth_names_what_is_missing(other: Path) -> None:
    model = fresh(encoder=MLPSpec(hidden=(8, 8), dropout=0.2))
    with pytest.raises(SpecError, match="not in the other run"):
        warm_start(model, WarmStartSpec(run=other))
    shallow = fresh(encoder=MLPSpec(hidden=(), dropout=0.2))
    with pytest.raises(SpecError, match="not in this model"):
        warm_start(shallow, WarmStartSpec(run=other))


@pytest.mark.parametrize(("name", "found"), [("absent", "no such folder"), ("", "no checkpoint")])
def test_a_run_that_is_not_there(name: str, found: str, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no weights to start from") as raised:
        warm_start(fresh(), WarmStartSpec(run=tmp_path / name))
    assert found in str(raised.value)
    assert str(tmp_path) in str(raised.value)
    assert "check the path" in str(raised.value)


def test_a_home_is_found(
    other: Path, kept: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(other.parent))
    model = fresh()
    warm_start(model, WarmStartSpec(run=Path("~") / other.name))
    assert changed_names(kept, model) == set()


# -- parts that are held ---------------------------------------------------------------------------


@final
class Watch(Listener):
    """Notes which parts every update changed."""

    def __init__(self, model: Model) -> None:
        self.model, self.before, self.changed = model, copied(model), []

    def stepped(self, step: int, reported: Record) -> None:
        self.changed.append({n.split(".")[0] for n in changed_names(self.before, self.model)})
        self.before = copied(self.model)


def held(folder: Path | None, spec: WarmStartSpec, stop_after: int | None = None) -> Training:
    training = small_run(folder, changed(warm_start=spec.model_dump()))
    listeners: list[Listener] = [Frozen(training.model, spec)]
    if stop_after is not None:
        listeners.append(SignalAfter(stop_after, signal.SIGINT))
    return small_run_with(training, listeners)


def small_run_with(training: Training, listeners: list[Listener]) -> Training:
    training.audience = Audience([*training.audience._listeners, *listeners])
    return training


def test_parts_are_held_for_a_while_and_then_trained(other: Path) -> None:
    spec = WarmStartSpec(run=other, parts=("decoder",), freeze_epochs=1.5)
    training = held(None, spec)
    warm_start(training.model, spec)
    watch = Watch(training.model)
    small_run_with(training, [watch]).run()
    until = round(1.5 * STEPS_PER_EPOCH)
    assert watch.changed == [{"encoder"}] * until + [{"encoder", "decoder"}] * (TOTAL_STEPS - until)
    assert all(weight.requires_grad for weight in training.model.parameters())


@pytest.mark.parametrize("stop_after", [4, 9, 11])
def test_a_run_that_was_stopped_ends_the_same(stop_after: int, other: Path, tmp_path: Path) -> None:
    spec = WarmStartSpec(run=other, parts=("decoder",), freeze_epochs=1.5)
    whole = held(tmp_path / "whole", spec)
    whole.run()
    stopped = held(tmp_path / "stopped", spec, stop_after)
    with pytest.raises(Interrupted):
        stopped.run()
    again = held(tmp_path / "stopped", spec)
    again.run()
    assert changed_names(whole.model.state_dict(), again.model) == set()


def test_holding_everything_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"name some, such as parts = \['decoder'\]"):
        WarmStartSpec(run=Path("r"), freeze_epochs=1)


def test_a_held_part_is_not_captured() -> None:
    spec = WarmStartSpec(run=Path("r"), parts=("decoder",), freeze_epochs=1)
    batches = small_run().data.batches
    assert obstacle(changed(), batches) is None
    assert "freeze_epochs" in str(obstacle(changed(warm_start=spec.model_dump()), batches))


def test_what_follows_batches_rests_while_it_is_held() -> None:
    small = {"kind": "mlp", "hidden": [8]}
    model = built(
        VQVAESpec.model_validate(
            {
                "positions": 2,
                "codebook": {"size": 4, "dim": 2},
                "encoder": small,
                "decoder": small,
                "likelihood": {"kind": "gaussian", "scale": "optimal"},
            }
        )
    )
    spec = WarmStartSpec(run=Path("r"), parts=("codebook", "likelihood"), freeze_epochs=1)
    shown = Observation(torch.rand(16, 1, 2, 3, generator=generator_for(0)))

    def follows() -> set[str]:
        before = copied(model)
        model.train().infer(shown, generator=generator_for(1)).log_likelihood()
        return {name.partition(".")[0] for name in changed_names(before, model)}

    held = Frozen(model, spec)
    held._hold(True)
    assert follows() == set()
    held._hold(False)
    assert follows() == {"codebook", "likelihood"}
