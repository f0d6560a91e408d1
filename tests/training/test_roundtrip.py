"""A run that is stopped anywhere and continued ends, bit for bit, where it would have ended."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from training import small_run as program
from training.small_run import (
    MODEL,
    NETWORK,
    STEPS_PER_EPOCH,
    TOTAL_STEPS,
    SignalAfter,
    changed,
    small_run,
)

from vaekit.data import Observation
from vaekit.errors import ArtifactError, Interrupted
from vaekit.models import (
    CategoricalVAESpec,
    CodebookSpec,
    HierarchicalVAESpec,
    LadderVAESpec,
    Model,
    Noise,
    RelaxationSpec,
    VQVAESpec,
)
from vaekit.networks import LadderMLPSpec, MLPSpec
from vaekit.objectives import (
    DReGSpec,
    ELBOSpec,
    InfoVAESpec,
    IWAESpec,
    Objective,
    Schedule,
    Terms,
    VAEGANSpec,
    WakeSleepSpec,
)
from vaekit.training import (
    Listener,
    Plan,
    Record,
    latest_checkpoint,
    load_checkpoint,
    read_metrics,
)
from vaekit.training.step import Updater

# A validation improves by far less than half a nat here: this one runs out of patience.
IMPATIENT = {"patience": 2, "min_improvement_nats": 0.5}
BATCH_NORM = MLPSpec(hidden=(8,), normalization="batch", dropout=0.2)
TWO_LAYERS = HierarchicalVAESpec(
    latent_dims=(3, 2), encoder=NETWORK, decoder=NETWORK, between=NETWORK
)
OPPONENT = VAEGANSpec(discriminator=MLPSpec(hidden=(8,)), adversarial_after=1.5)
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "static data": {"protocol": "static"},
    "bfloat16": {"spec": changed(precision="bfloat16")},
    "momentum": {"spec": changed(optimizer={"kind": "sgd", "momentum": 0.9, "nesterov": True})},
    "plain gradient": {"spec": changed(optimizer={"kind": "sgd"}, ema_decay=0.0)},
    "accumulation": {"spec": changed(accumulate=4)},
    "clipping and skipping": {"spec": changed(gradient={"clip_norm": 0.5, "skip_norm": 2.5})},
    "early stopping": {"spec": changed(early_stopping={})},
    "early stop": {"spec": changed(epochs=30, early_stopping=IMPATIENT)},
    "schedule": {"spec": changed(schedule={"kind": "warm_restarts", "period_epochs": 0.7})},
    "batch normalisation": {
        "model": MODEL.model_copy(update={"encoder": BATCH_NORM, "decoder": BATCH_NORM})
    },
    "adamax": {"spec": changed(optimizer={"kind": "adamax"})},
    "adagrad": {"spec": changed(optimizer={"kind": "adagrad", "weight_decay": 0.01})},
    "importance weighting": {"objective": IWAESpec(num_samples=3).build()},
    "weighed gradient": {"objective": DReGSpec(num_samples=3).build()},
    "wake and sleep": {"objective": WakeSleepSpec().build()},
    "discrepancy": {"objective": InfoVAESpec().build()},
    "opponent": {
        "objective": OPPONENT,
        "spec": changed(
            gradient={"clip_norm": 2.0},
            group_optimizers={"discriminator": {"kind": "adam", "learning_rate": 1e-2}},
        ),
    },
    "opponent, accumulation": {"objective": OPPONENT, "spec": changed(accumulate=4)},
    "free bits": {"objective": ELBOSpec(free_bits=0.1, num_samples=2).build()},
    "several layers": {"model": TWO_LAYERS},
    "several layers, importance weighting": {
        "model": TWO_LAYERS,
        "objective": IWAESpec(num_samples=3).build(),
    },
    "ladder": {"model": LadderVAESpec(network=LadderMLPSpec(width=8, dropout=0.2))},
    "relaxed categories": {
        "model": CategoricalVAESpec(
            variables=2,
            classes=3,
            encoder=NETWORK,
            decoder=NETWORK,
            relaxation=RelaxationSpec(epochs=2.0, straight_through=True),
        )
    },
    "codebook": {
        "model": VQVAESpec(
            positions=2,
            codebook=CodebookSpec(size=5, dim=2),
            encoder=NETWORK,
            decoder=NETWORK,
        )
    },
    "two epochs apart": {"spec": changed(evaluate_every_epochs=2)},
}


def ended(folder: Path) -> dict[str, Any]:
    """Everything a run left behind, as bytes; only time may differ."""
    path = latest_checkpoint(folder / "checkpoint")
    assert path is not None
    tensors, numbers = load_checkpoint(path)
    log = [{k: v for k, v in line.items() if k != "seconds"} for line in read_log(folder)]
    state = {name: tensor.view(-1).view(torch.uint8).tolist() for name, tensor in tensors.items()}
    timeless = {k: v for k, v in numbers.items() if k != "seconds"}
    return {"tensors": state, "numbers": timeless, "log": log}


def read_log(folder: Path) -> list[Record]:
    return read_metrics(folder / "metrics.jsonl")


def uninterrupted(folder: Path, **choices: Any) -> dict[str, Any]:
    small_run(folder, **choices).run()
    return ended(folder)


@pytest.mark.parametrize("steps", [4, 13])
def test_paused_and_continued(steps: int, tmp_path: Path) -> None:
    expected = uninterrupted(tmp_path / "whole")
    first = small_run(tmp_path / "parts")
    assert not first.run(until=steps).finished
    assert first.progress.step == steps
    first.run(until=steps)  # is there already
    assert first.progress.step == steps
    first.run(until=steps + 2)
    assert first.progress.step == steps + 2
    assert small_run(tmp_path / "parts").run(until=10**6).finished
    assert ended(tmp_path / "parts") == expected


def test_without_a_folder_weights_are_looked_at_as_often_as_with_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks: list[bool] = []
    monkeypatch.setattr(Updater, "is_finite", property(lambda self: looks.append(True) or True))
    small_run().run()
    assert len(looks) == 2  # at the start and at the end


@pytest.mark.parametrize("choices", VARIANTS.values(), ids=VARIANTS)
def test_stopped_and_continued(choices: dict[str, Any], tmp_path: Path) -> None:
    expected = uninterrupted(tmp_path / "whole", **choices)
    folder = tmp_path / "parts"
    for step in (1, 8, 12):  # in the first epoch, in the second, at the end of the second
        with pytest.raises(Interrupted, match=f"step {step} of .*everything is saved"):
            small_run(folder, listeners=[SignalAfter(step, signal.SIGINT)], **choices).run()
        assert len(read_log(folder)) == len({(r["step"], r["kind"]) for r in read_log(folder)})
    training = small_run(folder, **choices)
    training.run()
    assert ended(folder) == expected
    assert expected["numbers"]["finished"]


def test_variants_do_what_they_say(tmp_path: Path) -> None:
    skipping = uninterrupted(tmp_path / "a", **VARIANTS["clipping and skipping"])
    assert 0 < skipping["numbers"]["updates_skipped"] < TOTAL_STEPS
    stopping = uninterrupted(tmp_path / "b", **VARIANTS["early stop"])
    assert 2 * STEPS_PER_EPOCH < stopping["numbers"]["step"] < 30 * STEPS_PER_EPOCH


@pytest.mark.parametrize("step", range(1, TOTAL_STEPS + 1))
def test_after_any_step(step: int, tmp_path: Path, whole: dict[str, Any]) -> None:
    with pytest.raises(Interrupted):
        small_run(tmp_path, listeners=[SignalAfter(step, signal.SIGTERM)]).run()
    small_run(tmp_path).run()
    assert ended(tmp_path) == whole


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return uninterrupted(tmp_path_factory.mktemp("whole"))


class FailAt(Listener):
    """A bug that shows at one moment of a run."""

    def __init__(self, step: int, method: str) -> None:
        self.step, self.method = step, method

    def _fail(self, step: float | int | str, method: str) -> None:
        if (step, method) == (self.step, self.method):
            raise ZeroDivisionError

    def logged(self, record: Record) -> None:
        self._fail(record["step"], "logged")

    def stepped(self, step: int, reported: Record) -> None:
        self._fail(step, "stepped")

    def saving(self, step: int) -> None:
        self._fail(step, "saving")


@pytest.mark.parametrize(
    ("step", "method"),
    [(4, "logged"), (12, "logged"), (18, "logged"), (7, "stepped"), (9, "saving")],
)
def test_after_an_exception(step: int, method: str, tmp_path: Path, whole: dict[str, Any]) -> None:
    spec = changed(checkpoint_every_seconds=0.0)
    with pytest.raises(ZeroDivisionError):
        small_run(tmp_path, spec, [FailAt(step, method)]).run()
    assert latest_checkpoint(tmp_path / "checkpoint") == tmp_path / f"checkpoint/{step - 1:08d}"
    small_run(tmp_path, spec).run()
    assert ended(tmp_path) == whole


@pytest.mark.parametrize(("number", "code"), [("SIGKILL", -9), ("SIGTERM", 1)])
def test_in_a_process_of_its_own(
    number: str, code: int, tmp_path: Path, whole: dict[str, Any]
) -> None:
    command = [sys.executable, program.__file__, str(tmp_path), number, "11"]
    paths = os.pathsep.join([str(Path(program.__file__).parents[1]), *sys.path])
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    died = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert died.returncode == code, died.stderr
    assert ("Stopped at step 11 of 18" in died.stderr) == (number == "SIGTERM")
    kept = 10 if number == "SIGKILL" else 11
    assert latest_checkpoint(tmp_path / "checkpoint") == tmp_path / f"checkpoint/{kept:08d}"
    small_run(tmp_path).run()
    assert ended(tmp_path) == whole


def test_a_finished_run_stays_as_it_is(tmp_path: Path) -> None:
    expected = uninterrupted(tmp_path)
    file = next((tmp_path / "checkpoint").glob("*/state.json"))
    before = file.stat().st_mtime_ns, file.read_bytes()
    training = small_run(tmp_path)
    training.run()
    assert (file.stat().st_mtime_ns, file.read_bytes()) == before
    assert ended(tmp_path) == expected
    average = next(iter(training.updater.average.averages))
    assert torch.equal(next(training.model.parameters()), average)


class Scaled(Objective):
    """An objective with a parameter of its own."""

    needs, monitored, num_samples = ELBOSpec().needs, "elbo_nats", 1

    def __init__(self) -> None:
        super().__init__()
        self.inner = ELBOSpec().build()
        self.log_scale = torch.nn.Parameter(torch.zeros(()))

    def forward(
        self,
        model: Model,
        observation: Observation,
        schedule: Schedule,
        noise: Noise | None = None,
        generator: torch.Generator | None = None,
    ) -> Terms:
        terms = self.inner(model, observation, {"beta": 1.0}, noise, generator)
        loss = terms.losses["model"] * self.log_scale.exp() + self.log_scale.square()
        return Terms({"model": loss}, terms.reported)


def test_what_the_objective_learns_is_kept(tmp_path: Path) -> None:
    expected = uninterrupted(tmp_path / "whole", objective=Scaled())
    assert "objective.log_scale" in expected["tensors"]
    with pytest.raises(Interrupted):
        small_run(
            tmp_path / "parts", listeners=[SignalAfter(9, signal.SIGINT)], objective=Scaled()
        ).run()
    assert uninterrupted(tmp_path / "parts", objective=Scaled()) == expected


def stopped(folder: Path, step: int = 9) -> Path:
    with pytest.raises(Interrupted):
        small_run(folder, listeners=[SignalAfter(step, signal.SIGINT)]).run()
    path = latest_checkpoint(folder / "checkpoint")
    assert path is not None
    return path


class Plans(Listener):
    def __init__(self) -> None:
        self.seen: list[Plan] = []

    def started(self, plan: Plan) -> None:
        self.seen.append(plan)


@pytest.fixture
def bfloat16_is_native(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)


@pytest.fixture
def bfloat16_is_emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    for question in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, question, lambda: False)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_emulated_products_warn(precision: str, tmp_path: Path, bfloat16_is_emulated: None) -> None:
    plans = Plans()
    small_run(tmp_path, changed(precision=precision), [plans]).run()
    warned = " ".join(plans.seen[0].warnings)
    assert ("--set training.precision=auto" in warned) == (precision == "bfloat16")


def test_going_on_elsewhere_warns(tmp_path: Path, bfloat16_is_native: None) -> None:
    stopped(tmp_path)
    plans = Plans()
    small_run(tmp_path, changed(threads=2, precision="bfloat16"), [plans]).run()
    precision, threads = plans.seen[0].warnings
    assert "threads was 1 and is 2" in threads
    assert "precision was 'float32' and is 'bfloat16'" in precision
    assert plans.seen[0].first_step == 9


def test_going_on_here_does_not_warn(tmp_path: Path) -> None:
    stopped(tmp_path)
    plans = Plans()
    small_run(tmp_path, listeners=[plans]).run()
    assert plans.seen == [Plan(TOTAL_STEPS, 9, 6, 7)]


def test_state_of_another_model_is_refused(tmp_path: Path) -> None:
    stopped(tmp_path)
    with pytest.raises(ArtifactError, match="does not fit the model"):
        small_run(tmp_path, model=MODEL.model_copy(update={"latent_dim": 3})).run()


def test_a_stop_without_a_folder_says_so() -> None:
    with pytest.raises(Interrupted, match="no folder was given"):
        small_run(listeners=[SignalAfter(2, signal.SIGINT)]).run()


def test_time_while_stopped_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("vaekit.training.loop.time.monotonic", lambda: now[0])

    class OneSecondPerStep(Listener):
        def stepped(self, step: int, reported: Record) -> None:
            now[0] += 1.0

    with pytest.raises(Interrupted):
        small_run(tmp_path, listeners=[OneSecondPerStep(), SignalAfter(5, signal.SIGINT)]).run()
    now[0] += 3600.0
    progress = small_run(tmp_path, listeners=[OneSecondPerStep()]).run()
    assert progress.seconds == TOTAL_STEPS
    seconds = [line["seconds"] for line in read_log(tmp_path)]
    # A line comes before its step is told, which is when this clock moves.
    assert seconds == [int(line["step"]) - 1 for line in read_log(tmp_path)]
