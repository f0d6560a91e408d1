"""Training does what it is for, in eager and in compiled mode."""

import shutil

import pytest
import torch
from torch.distributions import Bernoulli
from training.small_run import MODEL, changed, small_run

from vaekit.data import Batches, BinarizeSpec, DigitsSpec, present, statistics
from vaekit.models import VAESpec
from vaekit.networks import MLPSpec
from vaekit.objectives import ELBOSpec
from vaekit.training import AdamSpec, Listener, Record, Training, TrainingData, TrainingSpec

DIGITS = TrainingSpec(
    epochs=20,  # of 10 steps
    batch_size=128,
    device="cpu",
    precision="float32",
    threads=1,
    ema_decay=0.9,
    optimizer=AdamSpec(learning_rate=5e-3),
    checkpoint_every_seconds=1e9,
)


class Bounds(Listener):
    """Remembers the validation bound by step."""

    def __init__(self) -> None:
        self.by_step: dict[int, float] = {}

    def logged(self, record: Record) -> None:
        if record["kind"] == "validation":
            self.by_step[int(record["step"])] = float(record["elbo_nats"])


def test_two_hundred_steps_on_digits() -> None:
    digits = DigitsSpec().load()
    transform = BinarizeSpec().build(digits)
    train, validation = digits.split("train"), digits.split("validation")
    network = MLPSpec(hidden=(128,))
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        spec = VAESpec(latent_dim=8, encoder=network, decoder=network)
        model = spec.build((1, 8, 8), statistics(train, transform))
    bounds = Bounds()
    data = TrainingData(
        Batches(transform.prepare(train), DIGITS.batch_size, seed=0, device="cpu"),
        transform,
        lambda: present(validation, transform, 0, "cpu"),
    )
    progress = Training(model, ELBOSpec().build(), data, DIGITS, seed=0, listeners=[bounds]).run()
    assert progress.step == 200
    # What is known without any z: the mean of each pixel, worth minus its entropy.
    shown = torch.cat([block.x for block in present(validation, transform, 0, "cpu")])
    independent = -float(Bernoulli(shown.mean(0)).entropy().sum())
    # By 3.3 nats here; a model that ignores z can at best reach 0.
    assert bounds.by_step[200] > independent + 2.5
    assert bounds.by_step[200] > bounds.by_step[10] + 2.5


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked_shapes")
# Torch's own look at a tensor, where the disabled checks of annotations cut the graph in two.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
def test_compiled_training_ends_near_eager_training() -> None:
    if not any(shutil.which(name) for name in ("g++", "c++", "clang++")):
        pytest.skip("torch.compile needs a C++ compiler here")
    torch._dynamo.reset()
    network = MLPSpec(hidden=(8,))  # no dropout: compiled code draws it in another order
    model = MODEL.model_copy(update={"encoder": network, "decoder": network})
    ends: list[tuple[float, torch.Tensor]] = []
    for compiled in (False, True):
        bounds = Bounds()
        training = small_run(
            spec=changed(compile=compiled, optimizer={"kind": "sgd", "learning_rate": 0.05}),
            listeners=[bounds],
            model=model,
        )
        start = torch.cat([w.detach().flatten() for w in training.model.parameters()])
        training.run()
        end = torch.cat([w.detach().flatten() for w in training.model.parameters()])
        assert (end - start).norm() > 0.1
        ends.append((bounds.by_step[18], end))
    (eager_bound, eager), (compiled_bound, fused) = ends
    # Fused kernels round differently, by 1e-7 of a weight and step; eighteen plain steps of
    # a smooth loss carry that along without blowing it up.
    torch.testing.assert_close(fused, eager, rtol=1e-4, atol=1e-5)
    assert compiled_bound == pytest.approx(eager_bound, abs=1e-4)
