"""Looking at a model changes nothing, and shows what is there."""

from pathlib import Path

import numpy as np
import pytest
import torch
from training.small_run import dataset, small_model

from vaekit.data import BinarizeSpec, GreySpec, Observation, present
from vaekit.schema import Schema
from vaekit.trackers import Subject
from vaekit.trackers.pictures import Pictures, tiled
from vaekit.trackers.snapshot import Camera


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    small = dataset()
    transform = BinarizeSpec().build(small)

    def examples(most: int) -> tuple[Observation, None]:
        (first,) = present(small.split("validation"), transform, 0, "cpu")
        return first[:most], None

    tree = {"name": "small"}
    return Subject(small_model(), transform, small.schema, examples, tree, tmp_path, seed=3)


def test_nothing_changes(subject: Subject) -> None:
    model = subject.model.train()
    mixed = next(module for module in model.modules() if isinstance(module, torch.nn.Dropout))
    mixed.eval()  # a mode of its own
    modes = [module.training for module in model.modules()]
    state, before = torch.get_rng_state(), {k: v.clone() for k, v in model.state_dict().items()}
    taken = Camera(subject, images=4, examples=16).snapshot()
    assert torch.equal(torch.get_rng_state(), state)
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(weight.grad is None for weight in model.parameters())
    assert taken.codes is not None
    assert not taken.codes.requires_grad


def test_modes_come_back_after_a_failure(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    subject.model.train()
    monkeypatch.setattr(type(subject.model), "infer", None)
    with pytest.raises(TypeError):
        Camera(subject, images=4, examples=0).snapshot()
    assert all(module.training for module in subject.model.modules())


def test_the_same_moment_looks_the_same(subject: Subject) -> None:
    subject.model.train()  # dropout would differ
    first, second = (Camera(subject, images=4, examples=16).snapshot() for _ in range(2))
    for name in ("reconstructions", "samples"):
        np.testing.assert_array_equal(first.pictures[name], second.pictures[name])


def test_histograms_are_of_the_posterior(subject: Subject) -> None:
    taken = Camera(subject, images=0, examples=16).snapshot()
    model = subject.model.eval()
    shown, _ = subject.examples(16)
    with torch.no_grad():
        (factor,) = model.infer(shown).posterior
    torch.testing.assert_close(taken.histograms["posterior/mean"], factor.mean.flatten())
    torch.testing.assert_close(
        taken.histograms["posterior/log_variance"], factor.variance.log().flatten()
    )
    assert taken.pictures == {}
    assert taken.codes is not None
    torch.testing.assert_close(taken.codes, factor.mean)


def test_originals_stand_beside_their_reconstructions(subject: Subject) -> None:
    sheet = Camera(subject, images=1, examples=0).snapshot().pictures["reconstructions"]
    shown, _ = subject.examples(1)
    assert sheet.shape == (2, 2 * 3, 3)
    assert (sheet[:, :3, 0] == 255 * shown.x[0, 0].numpy()).all()
    noise = (torch.zeros(1, 1, 2),)
    with torch.no_grad():
        mean = subject.model.eval().infer(shown, noise=noise).likelihood.mean[0, 0, 0]
    np.testing.assert_allclose(sheet[:, 3:, 0], 255 * mean.numpy(), atol=0.51)


def test_tiles_are_in_reading_order() -> None:
    images = np.linspace(0, 1, 6, dtype=np.float32)[:, None, None, None]
    sheet = tiled(np.broadcast_to(images, (6, 3, 4, 4)))
    assert sheet.shape == (3 * 5 - 1, 2 * 5 - 1, 3)
    assert sheet[0::5, 0::5, 0].tolist() == [[0, 51], [102, 153], [204, 255]]
    assert (sheet[4] == 255).all()


def test_other_data_are_no_pictures() -> None:
    schema = Schema(name="v", kind="vector", event_shape=(3,), dtype="float32")
    transform = GreySpec().build(dataset())
    assert Pictures(transform, schema).sheet(torch.zeros(2, 3)) is None
    assert Pictures(transform, schema).pairs(torch.zeros(2, 3), torch.zeros(2, 3)) is None


def test_missing_values_are_grey() -> None:
    x = torch.zeros(1, 1, 2, 3)
    x[0, 0, 0, 0] = torch.nan
    unit = Pictures(GreySpec().build(dataset()), dataset().schema).unit(x)
    assert unit is not None
    assert unit[0, 0].tolist() == [[0.5, 0.0, 0.0], [0.0, 0.0, 0.0]]
