"""Held-out data is measured the same way at every time of training."""

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor
from training.objectives import Scripted
from training.small_run import MODEL, SPEC, changed, small_data, small_model, small_run

from vaekit.data import Observation
from vaekit.errors import DataError, DivergenceError
from vaekit.models import Model, Noise
from vaekit.networks import MLPSpec
from vaekit.objectives import CyclicalBeta, ELBOSpec, LinearBeta, Objective, Schedule, Terms
from vaekit.training import read_metrics
from vaekit.training.validation import validate


def held_out() -> list[Observation]:
    data = small_data()
    assert data.validation is not None
    return [*data.validation()]


class Seen(Objective):
    """Reports the sum of its noise and the number of examples; remembers what it was given."""

    needs, monitored, num_samples = ELBOSpec().needs, "noise_nats", 1

    def __init__(self, inner: Objective) -> None:
        super().__init__()
        self.inner = inner
        self.schedules: list[Schedule] = []
        self.modes: set[tuple[bool, bool, bool]] = set()

    def schedule(self, epoch: float) -> dict[str, float]:
        return self.inner.schedule(epoch)

    def forward(
        self,
        model: Model,
        observation: Observation,
        schedule: Schedule,
        noise: Noise | None = None,
        generator: torch.Generator | None = None,
    ) -> Terms:
        self.schedules.append(schedule)
        self.modes.add((model.training, self.training, torch.is_grad_enabled()))
        drawn = torch.rand((), generator=generator)
        reported = {"noise_nats": drawn, "examples": torch.tensor(float(len(observation)))}
        return Terms({"model": drawn}, reported)


@pytest.mark.parametrize(
    ("beta", "end"), [(LinearBeta(), 1.0), (LinearBeta(end=4.0), 4.0), (CyclicalBeta(), 1.0)]
)
def test_schedules_are_at_their_end(beta: LinearBeta | CyclicalBeta, end: float) -> None:
    objective = Seen(ELBOSpec(beta=beta).build())
    validate(small_model(), objective, held_out(), SPEC, seed=0)
    assert objective.schedules == [{"beta": end}] * 2  # 16 examples in blocks of 10


def test_the_same_noise_each_time_and_in_each_block_another() -> None:
    blocks, model, objective = held_out(), small_model(), Seen(ELBOSpec().build())
    first = validate(model, objective, blocks, SPEC, seed=0)
    torch.rand(7)  # torch's own generator plays no part
    assert validate(model, objective, blocks, SPEC, seed=0) == first
    assert validate(model, objective, blocks, SPEC, seed=1) != first
    same = validate(model, objective, [blocks[0], blocks[0]], SPEC, seed=0)["noise_nats"]
    alone = validate(model, objective, [blocks[0]], SPEC, seed=0)["noise_nats"]
    assert same != pytest.approx(alone)


def test_every_example_counts_alike() -> None:
    """Blocks of 10 and 6: the mean of the sizes is (10 * 10 + 6 * 6) / 16."""
    found = validate(small_model(), Seen(ELBOSpec().build()), held_out(), SPEC, seed=0)
    assert found["examples"] == pytest.approx(136 / 16)


@pytest.mark.parametrize("training", [True, False])
def test_modules_are_in_evaluation_mode_meanwhile(training: bool) -> None:
    model, objective = small_model().train(training), Seen(ELBOSpec().build()).train(training)
    validate(model, objective, held_out(), SPEC, seed=0)
    assert objective.modes == {(False, False, False)}
    assert (model.training, objective.training) == (training, training)


def test_modes_come_back_after_a_failure() -> None:
    model = small_model().train()
    wrong = [Observation(torch.zeros(3, 5))]
    with pytest.raises(Exception, match=r".+"):
        validate(model, ELBOSpec().build(), wrong, SPEC, seed=0)
    assert model.training


def test_nothing_to_measure_is_an_error() -> None:
    with pytest.raises(DataError, match="validation split is empty"):
        validate(small_model(), ELBOSpec().build(), [], SPEC, seed=0)


def test_a_run_measures_the_averaged_weights_at_the_end_of_warm_up(tmp_path: Path) -> None:
    """The last validation is that of the weights that are kept, beta and free bits apart."""
    objective = ELBOSpec(beta=LinearBeta(warmup_epochs=100.0), free_bits=0.5).build()
    training = small_run(tmp_path, objective=objective)
    training.run()
    last = read_metrics(tmp_path / "metrics.jsonl")[-1]
    assert last["kind"] == "validation"
    found = validate(training.model, ELBOSpec().build(), held_out(), SPEC, seed=training.seed)
    assert {name: last[name] for name in found} == found


def test_validation_changes_nothing_that_is_trained() -> None:
    """Batch normalisation's running statistics included: how often it happens is no choice."""
    network = MLPSpec(hidden=(8,), normalization="batch", dropout=0.2)
    model = MODEL.model_copy(update={"encoder": network, "decoder": network})
    often, rarely = (
        small_run(spec=changed(evaluate_every_epochs=epochs), model=model) for epochs in (1, 3)
    )
    often.run()
    rarely.run()
    theirs = rarely.model.state_dict()
    for name, tensor in often.model.state_dict().items():
        assert torch.equal(tensor, theirs[name]), name


def test_a_validation_that_is_not_finite_stops_the_run(tmp_path: Path) -> None:
    class Blind(Scripted):
        def forward(self, model: Model, *rest: Observation | Schedule | Noise, **more: object):
            terms = super().forward(model, *rest, **more)  # pyright: ignore[reportArgumentType]
            if model.training:
                return terms
            return Terms(terms.losses, {**terms.reported, "elbo_nats": torch.tensor(-math.inf)})

    def unchanged(step: int, loss: Tensor, model: Model) -> Tensor:
        return loss

    with pytest.raises(DivergenceError, match="the validation bound is not finite"):
        small_run(tmp_path, objective=Blind(unchanged)).run()
    kinds = {line["kind"] for line in read_metrics(tmp_path / "metrics.jsonl")}
    assert kinds == {"training", "divergence"}
