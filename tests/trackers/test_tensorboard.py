"""TensorBoard reads back what was told."""

from pathlib import Path

import numpy as np
import pytest
import torch
from trackers.tracked_run import VALIDATIONS, Kill, events, logged, tracked

from vaekit.data import present
from vaekit.errors import Interrupted
from vaekit.runs import Run
from vaekit.runs.assembly import assemble
from vaekit.runs.tracking import subject
from vaekit.trackers import TensorBoardSpec


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    tracker = '{ kind = "tensorboard", embeddings = 60, images = 6 }'
    return tracked(tmp_path_factory.mktemp("tensorboard") / "r", tracker)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("training", "elbo_nats"), ("training", "learning_rate"), ("validation", "kl_nats")],
)
def test_numbers_are_those_of_the_log(run: Run, kind: str, name: str) -> None:
    shown = events(run.folder / "tensorboard").Scalars(f"{kind}/{name}")
    assert [event.step for event in shown] == [step for step, _ in logged(run, kind, name)]
    values = [event.value for event in shown]
    assert values == [np.float32(value) for _, value in logged(run, kind, name)]


def test_histograms_of_the_posterior(run: Run) -> None:
    shown = events(run.folder / "tensorboard")
    for name in ("posterior/mean", "posterior/log_variance"):
        histograms = shown.Histograms(name)
        assert tuple(event.step for event in histograms) == VALIDATIONS
        assert histograms[0].histogram_value.num == 60 * 2  # examples x latent_dim
    assert shown.Histograms("posterior/log_variance")[-1].histogram_value.max < 1.0


def test_pictures(run: Run) -> None:
    shown = events(run.folder / "tensorboard")
    sizes = {}
    for name in ("reconstructions", "samples"):
        images = shown.Images(name)
        assert tuple(event.step for event in images) == VALIDATIONS
        assert images[0].encoded_image_string[1:4] == b"PNG"
        assert images[0].encoded_image_string != images[1].encoded_image_string
        sizes[name] = (images[0].height, images[0].width)
    # 6 images of 8 x 8 as 3 x 2, and 6 pairs of 8 x 16 as 3 x 2, with lines between them
    assert sizes == {"samples": (26, 17), "reconstructions": (26, 33)}


def test_the_projector(run: Run) -> None:
    folder = run.folder / "tensorboard"
    config = (folder / "projector_config.pbtxt").read_text()
    assert f'tensor_path: "{VALIDATIONS[-1]:05d}/codes/tensors.tsv"' in config
    codes = np.loadtxt(folder / "05120" / "codes" / "tensors.tsv")
    labels = np.loadtxt(folder / "05120" / "codes" / "metadata.tsv", dtype=int)
    expected = run.dataset.split("validation").labels()
    assert expected is not None
    assert codes.shape == (60, 2)
    assert labels.tolist() == expected[:60].tolist()
    assert (folder / "05120" / "codes" / "sprite.png").read_bytes()[1:4] == b"PNG"


def test_the_projector_shows_the_weights_that_are_kept(run: Run) -> None:
    """Validation, and with it the snapshot, is of the averaged weights."""
    codes = np.loadtxt(run.folder / "tensorboard" / "05120" / "codes" / "tensors.tsv")
    (shown, *_) = present(run.dataset.split("validation"), run.transform, 0, "cpu")
    with torch.no_grad():
        np.testing.assert_allclose(codes, run.model.embed(shown[:60]).numpy(), atol=1e-5)


@pytest.mark.parametrize("polite", [True, False], ids=["stopped", "crashed"])
def test_a_resumed_run_goes_on_in_the_same_folder(run: Run, polite: bool, tmp_path: Path) -> None:
    """What was told after the last checkpoint is hidden, then told again."""
    with pytest.raises(Interrupted if polite else MemoryError):
        tracked(tmp_path / "r", "tensorboard", listeners=[Kill(50, polite)])
    tracked(tmp_path / "r", "tensorboard")
    shown = events(tmp_path / "r" / "tensorboard")
    whole = events(run.folder / "tensorboard")
    for name in ("training/elbo_nats", "validation/elbo_nats"):
        kept = [[(e.step, e.value) for e in events.Scalars(name)] for events in (shown, whole)]
        assert kept[0] == kept[1]


def test_another_folder(tmp_path: Path) -> None:
    tracker = f'{{ kind = "tensorboard", folder = "{tmp_path / "all" / "mine"}", images = 0 }}'
    tracked(tmp_path / "r", tracker, settings=["training.epochs=2"])
    assert not (tmp_path / "r" / "tensorboard").exists()
    tags = events(tmp_path / "all" / "mine").Tags()
    assert tags["images"] == []
    assert "posterior/mean" in tags["histograms"]


def test_what_was_told_at_the_checkpoint_stays(run: Run, tmp_path: Path) -> None:
    parts = assemble(run.recipe)
    for begins, tells in ((0, (640, 1280)), (640, (1280,))):  # the second goes on from 640
        tracker = TensorBoardSpec().build(subject(run.recipe, parts, tmp_path))
        tracker.open(begins)
        for seen in tells:
            tracker.numbers(seen, {"training/elbo_nats": float(begins)})
        tracker.close(tells[-1], None, "FINISHED")
    shown = events(tmp_path / "tensorboard").Scalars("training/elbo_nats")
    assert [(event.step, event.value) for event in shown] == [(640, 0.0), (1280, 640.0)]
