"""What the machine decides, and that a run gives the machine back as it was."""

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import torch
from torch import Tensor
from training.objectives import Scripted
from training.small_run import SPEC, changed, small_run

from vaekit.errors import DivergenceError, Interrupted, SpecError
from vaekit.models import Model
from vaekit.training import Listener, Record, TrainingSpec, environment, machine, resolve
from vaekit.training.interruption import stoppable
from vaekit.training.machine import changes
from vaekit.training.memory import memory_explained

AUTO = TrainingSpec()


@pytest.fixture
def no_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture
def with_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)


def test_nothing_is_left_to_decide(no_cuda: None) -> None:
    resolved = resolve(AUTO)
    assert resolved.device == "cpu"
    assert resolved.precision in ("float32", "bfloat16")
    assert resolved.threads == torch.get_num_threads()
    assert resolve(resolved) == resolved


def test_cuda_is_taken_where_it_is(with_cuda: None) -> None:
    assert (resolve(AUTO).device, resolve(AUTO).precision) == ("cuda", "bfloat16")
    assert resolve(changed(device="cuda")).device == "cuda"
    assert resolve(changed(device="cpu")).device == "cpu"


def test_a_cuda_device_that_is_not_there(no_cuda: None) -> None:
    with pytest.raises(SpecError, match="no CUDA device") as raised:
        resolve(changed(device="cuda"))
    assert "training.device" in str(raised.value)
    assert "--set training.device=cpu" in str(raised.value)


@pytest.mark.parametrize("faster", [True, False])
@pytest.mark.parametrize("avx512", [True, False])
@pytest.mark.parametrize("amx", [True, False])
def test_bfloat16_is_taken_where_it_is_faster(
    avx512: bool, amx: bool, faster: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(machine, "bfloat16_is_faster", lambda: faster)
    expected = "bfloat16" if amx or (avx512 and faster) else "float32"
    assert resolve(changed(precision="auto")).precision == expected
    assert resolve(changed(precision="float32")).precision == "float32"


def test_what_is_chosen_stays(no_cuda: None) -> None:
    assert resolve(SPEC) == SPEC
    assert resolve(changed(threads=3)).threads == 3


# -- the environment -----------------------------------------------------------------------


def test_the_environment_says_what_repetition_depends_on() -> None:
    here = environment(SPEC)
    assert here == environment(SPEC)
    assert here["torch"] == torch.__version__
    assert here["threads"] == 1
    assert all(here.values())


@pytest.mark.parametrize("settings", [{"threads": 2}, {"precision": "bfloat16"}, {"compile": True}])
def test_a_change_is_named_with_both_values(settings: dict[str, Any]) -> None:
    before, here = environment(SPEC), environment(changed(**settings))
    ((name, value),) = settings.items()
    (warning,) = changes(before, here)
    assert name in warning
    assert str(value) in warning
    assert "not end bit for bit" in warning


def test_no_change_no_warning() -> None:
    assert changes(environment(SPEC), environment(SPEC)) == ()


def test_an_environment_that_did_not_record_everything_is_a_change() -> None:
    before = environment(SPEC)
    del before["processor"]
    (warning,) = changes(before, environment(SPEC))
    assert "processor was None" in warning


# -- the machine is given back --------------------------------------------------------------


def global_state() -> dict[str, Any]:
    return {
        "threads": torch.get_num_threads(),
        "noise": torch.get_rng_state().tolist(),
        "gradients": torch.is_grad_enabled(),
        "signals": [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
    }


def diverging(step: int, loss: Tensor, model: Model) -> Tensor:
    return loss * float("nan") if step == 5 else loss


class StopAt5(Listener):
    def stepped(self, step: int, reported: Record) -> None:
        if step == 5:
            os.kill(os.getpid(), signal.SIGINT)


WAYS_OUT: dict[str, Callable[[], Any]] = {
    "to the end": lambda: small_run(spec=changed(threads=2)),
    "stopped": lambda: small_run(spec=changed(threads=2), listeners=[StopAt5()]),
    "diverged": lambda: small_run(spec=changed(threads=2), objective=Scripted(diverging)),
}


@pytest.mark.parametrize("begin", WAYS_OUT.values(), ids=WAYS_OUT)
@pytest.mark.parametrize("gradients", [True, False])
def test_a_run_leaves_no_trace(begin: Callable[[], Any], gradients: bool) -> None:
    threads = torch.get_num_threads()
    previous = signal.signal(signal.SIGTERM, lambda *_: None)
    torch.set_num_threads(3)
    torch.manual_seed(1234)
    try:
        with torch.set_grad_enabled(gradients):
            training, before = begin(), global_state()
            with suppress(Interrupted, DivergenceError):
                training.run()
            assert training.progress.step >= 5
            assert global_state() == before
    finally:
        torch.set_num_threads(threads)
        signal.signal(signal.SIGTERM, previous)
    assert not training.model.training
    assert all(weight.grad is None for weight in training.model.parameters())


def test_the_state_before_a_run_plays_no_part() -> None:
    first = small_run()
    first.run()
    second = small_run()
    torch.manual_seed(99)
    with torch.no_grad():
        second.run()
    for one, other in zip(first.model.parameters(), second.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_run_uses_the_threads_it_was_given() -> None:
    seen: set[int] = set()

    class Threads(Listener):
        def stepped(self, step: int, reported: Record) -> None:
            seen.add(torch.get_num_threads())

    small_run(spec=changed(threads=2, epochs=1), listeners=[Threads()]).run()
    assert seen == {2}


def test_the_second_signal_acts_at_once() -> None:
    with stoppable() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.requested
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_an_ignored_signal_stays_ignored() -> None:
    previous = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with stoppable() as stop:
            os.kill(os.getpid(), signal.SIGTERM)
            assert not stop.requested
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, previous)


def test_a_run_in_another_thread() -> None:
    """Where Python allows no signal handlers."""
    finished: list[bool] = []
    thread = threading.Thread(target=lambda: finished.append(small_run().run().finished))
    thread.start()
    thread.join()
    assert finished == [True]


def test_layers_are_seeded_without_touching_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "manual_seed", lambda seed: pytest.fail("a device was seeded"))
    with torch.random.fork_rng([]):
        machine.seed_layers(7, "cpu")
        first = torch.rand(3)
        machine.seed_layers(7, "cpu")
        assert torch.equal(torch.rand(3), first)


# -- memory --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("batch_size", "accumulate", "advice"),
    [
        (128, 1, ["training.accumulate=2", "training.batch_size=64"]),
        (128, 8, ["training.accumulate=16", "training.batch_size=64"]),
        (7, 4, ["training.accumulate=7"]),
        (8, 8, ["a smaller model"]),
        (1, 1, ["a smaller model"]),
    ],
)
def test_what_would_fit_is_named_and_can_be_chosen(
    batch_size: int, accumulate: int, advice: list[str]
) -> None:
    spec = changed(batch_size=batch_size, accumulate=accumulate)
    with (
        pytest.raises(SpecError, match="does not fit into memory") as raised,
        memory_explained(spec),
    ):
        raise torch.OutOfMemoryError("CUDA out of memory")
    message = str(raised.value)
    assert f"batch_size = {batch_size} in {accumulate} piece(s)" in message
    assert message.count("--set") == sum("training." in words for words in advice)
    for words in advice:
        assert words in message
        if "=" in words:
            key, value = words.removeprefix("training.").split("=")
            changed(**{"batch_size": batch_size, "accumulate": accumulate, key: int(value)})


def test_the_allocator_of_the_cpu_is_understood() -> None:
    """More memory than any address space has: the message is torch's own."""
    with pytest.raises(SpecError, match="does not fit into memory"), memory_explained(SPEC):
        torch.empty(2**60, dtype=torch.uint8)


def test_other_errors_pass() -> None:
    with pytest.raises(RuntimeError, match="shapes"), memory_explained(SPEC):
        raise RuntimeError("shapes do not match")


def test_a_run_without_memory_says_so() -> None:
    def out_of_memory(step: int, loss: Tensor, model: Model) -> Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(SpecError, match="does not fit into memory"):
        small_run(objective=Scripted(out_of_memory)).run()
