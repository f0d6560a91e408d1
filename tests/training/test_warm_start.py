"""Starting from what another run kept."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from training.small_run import MODEL, changed, small_model, small_run

from vaekit.errors import ArtifactError, SpecError
from vaekit.models import Model
from vaekit.networks import MLPSpec
from vaekit.training import WarmStartSpec, warm_start


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
