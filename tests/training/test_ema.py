"""The running average of the weights, against the formula by hand."""

import pytest
import torch
from torch import nn
from training.small_run import changed, small_run

from vaekit.training import Listener, Record
from vaekit.training.ema import WeightAverage


def test_the_formula() -> None:
    module = nn.Linear(3, 2).double()
    average = WeightAverage(module, decay=0.3)
    expected = module.weight.detach().clone()
    for step in range(12):
        with torch.no_grad():
            module.weight += torch.randn(2, 3)
        average.update(step)
        # (1 + t) / (10 + t) is 0.1 at first, and 0.3 from the step 20 / 7 on.
        decay = 0.3 if step >= 3 else (1 + step) / (10 + step)
        expected = decay * expected + (1 - decay) * module.weight.detach()
        # Float64; the two ways of writing it differ by rounding.
        torch.testing.assert_close(average.averages[0], expected, rtol=1e-13, atol=1e-13)


def test_a_long_memory_looks_now_and_then() -> None:
    """Fifty looks per memory of the average, each with the decay of the updates since the last."""
    module = nn.Linear(3, 2).double()
    average = WeightAverage(module, decay=0.99)
    expected = module.weight.detach().clone()
    looks = 0
    for step in range(2000):
        with torch.no_grad():
            module.weight += torch.randn(2, 3)
        before = average.averages[0].clone()
        average.update(step)
        interval = 2 if step >= 665 else 1  # 0.02 (10 + step) / 9, rounded; at most 0.02 / 0.01
        looked = step % interval == 0
        assert torch.equal(before, average.averages[0]) is not looked
        if looked:
            looks += 1
            decay = min(0.99, (1 + step) / (10 + step)) ** interval
            expected = decay * expected + (1 - decay) * module.weight.detach()
    assert looks == 665 + 667
    # Float64; two ways of writing the same sum.
    torch.testing.assert_close(average.averages[0], expected, rtol=1e-11, atol=1e-11)


def test_without_decay_the_average_is_the_last() -> None:
    module = nn.Linear(3, 2)
    average = WeightAverage(module, decay=0.0)
    nn.init.normal_(module.weight)
    average.update(5)
    assert torch.equal(average.averages[0], module.weight)


def test_constant_weights_are_their_own_average() -> None:
    module = nn.Linear(3, 2)
    average = WeightAverage(module, decay=0.999)
    for step in range(100):
        average.update(step)
    assert torch.equal(average.averages[0], module.weight)


def test_applied_inside_the_block_only() -> None:
    module = nn.Linear(3, 2)
    average = WeightAverage(module, decay=0.9)
    nn.init.ones_(module.weight)
    before = average.averages[0].clone()
    with average.applied():
        assert torch.equal(module.weight, before)
    assert torch.equal(module.weight, torch.ones(2, 3))
    assert torch.equal(average.averages[0], before)


def test_an_exception_inside_the_block_gives_the_weights_back() -> None:
    module = nn.Linear(3, 2)
    average = WeightAverage(module, decay=0.9)
    nn.init.ones_(module.weight)
    with pytest.raises(ZeroDivisionError), average.applied():
        raise ZeroDivisionError
    assert torch.equal(module.weight, torch.ones(2, 3))


def test_buffers_are_left_alone() -> None:
    module = nn.BatchNorm1d(2)
    average = WeightAverage(module, decay=0.9)
    assert average.state_dict().keys() == {"weight", "bias"}
    module(torch.randn(8, 2))
    running = module.running_mean
    assert running is not None
    kept = running.clone()
    with average.applied():
        assert torch.equal(running, kept)


def test_a_state_goes_into_another() -> None:
    first, second = nn.Linear(3, 2), nn.Linear(3, 2)
    source, target = WeightAverage(first, 0.9), WeightAverage(second, 0.9)
    target.load_state_dict(source.state_dict())
    for ours, theirs in zip(target.averages, source.averages, strict=True):
        assert torch.equal(ours, theirs)
        assert ours is not theirs


def test_a_run_ends_with_the_average() -> None:
    """With a decay of 0.999 and few steps, decay_t alone decides how far it lags."""

    class Last(Listener):
        expected: torch.Tensor

        def stepped(self, step: int, reported: Record) -> None:
            weight = next(training.model.parameters()).detach().clone()
            decay = min(0.999, step / (9 + step))  # of update step - 1
            self.expected = decay * self.expected + (1 - decay) * weight

    last = Last()
    training = small_run(listeners=[last])
    last.expected = next(training.model.parameters()).detach().clone()
    training.run()
    kept = next(training.model.parameters()).detach()
    # Eighteen roundings of float32.
    torch.testing.assert_close(kept, last.expected, rtol=1e-5, atol=1e-6)

    plain = small_run(spec=changed(ema_decay=0.0))
    plain.run()
    assert not torch.allclose(kept, next(plain.model.parameters()), rtol=1e-5, atol=1e-6)


def test_listeners_see_the_weights_that_were_validated() -> None:
    class Looking(Listener):
        seen: torch.Tensor

        def logged(self, record: Record) -> None:
            if record["kind"] == "validation":
                self.seen = next(training.model.parameters()).detach().clone()

    looking = Looking()
    training = small_run(listeners=[looking])
    training.run()
    assert torch.equal(looking.seen, next(training.model.parameters()))  # the average is kept
