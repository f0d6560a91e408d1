"""Promises that every prior over codes keeps."""

import itertools
import math
from typing import Any

import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from vaekit.numerics import generator_for
from vaekit.priors import CodePrior, CodePriorSpec

SPECS: dict[str, dict[str, Any]] = {
    "uniform": {"kind": "uniform"},
    "autoregressive": {"kind": "autoregressive", "hidden": (16, 12)},
    "narrow": {"kind": "autoregressive", "hidden": (2,)},
}
POSITIONS, CLASSES, DRAWS = 3, 4, 20_000
EVERY = torch.tensor(list(itertools.product(range(CLASSES), repeat=POSITIONS)))
parse = TypeAdapter(CodePriorSpec).validate_python


@pytest.fixture(params=SPECS, ids=str)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def prior(name: str) -> CodePrior:
    torch.manual_seed(0)
    built = parse(SPECS[name]).build(POSITIONS, CLASSES).double()
    for weight in built.parameters():
        torch.nn.init.normal_(weight)  # far from even
    return built


def test_spec_goes_there_and_back(name: str) -> None:
    spec = parse(SPECS[name])
    assert TypeAdapter(CodePriorSpec).validate_json(spec.model_dump_json()) == spec
    with pytest.raises(ValidationError, match="colour"):
        parse({**SPECS[name], "colour": 1})


def test_probabilities_of_all_codes_add_up_to_one(prior: CodePrior) -> None:
    assert prior.log_prob(EVERY).exp().sum().item() == pytest.approx(1, abs=1e-12)
    assert prior.log_prob(EVERY.reshape(4, 16, 3)).shape == (4, 16)


@pytest.mark.parametrize("position", range(POSITIONS))
def test_no_position_sees_itself_or_what_comes_after(prior: CodePrior, position: int) -> None:
    codes = EVERY[:CLASSES].clone()
    codes[:, position:] = torch.randint(
        CLASSES, (CLASSES, POSITIONS - position), generator=generator_for(position)
    )
    same = codes.clone()
    same[:, position:] = codes[:1, position:]
    before, after = prior.logits(codes), prior.logits(same)
    assert torch.equal(before[:, position], after[:, position])


def test_autoregressive_sees_every_code_before() -> None:
    torch.manual_seed(0)
    prior = parse(SPECS["autoregressive"]).build(POSITIONS, CLASSES)
    for earlier in range(POSITIONS - 1):
        other = EVERY[:1].clone()
        other[:, earlier] += 1
        changed = prior.logits(other) != prior.logits(EVERY[:1])
        assert changed[0, earlier + 1 :].any(-1).all()


def test_draws_have_the_probabilities(prior: CodePrior) -> None:
    noise = torch.rand(DRAWS, POSITIONS, generator=generator_for(1), dtype=torch.float64)
    codes = prior.from_noise(noise)
    number = (codes * torch.tensor([16, 4, 1])).sum(-1)
    share = torch.bincount(number, minlength=len(EVERY)) / DRAWS
    exact = prior.log_prob(EVERY).exp()
    # Six standard errors of a share, of 64 of them.
    assert ((share - exact).abs() <= 6 * (exact * (1 - exact) / DRAWS).sqrt() + 1e-9).all()


def test_no_temperature_is_the_most_probable_code_one_by_one(prior: CodePrior) -> None:
    cold = prior.from_noise(torch.rand(2, POSITIONS).double(), temperature=0.0)
    cool = prior.from_noise(torch.full((2, POSITIONS), 0.5).double(), temperature=1e-3)
    assert torch.equal(cold[0], cold[1])
    if list(prior.parameters()):
        assert torch.equal(cold, cool)
    for position in range(POSITIONS):
        logits = prior.logits(cold)[:, position]
        assert torch.equal(logits.argmax(-1), cold[:, position])


@pytest.mark.parametrize("end", [0.0, 1.0])
def test_ends_of_the_noise_are_codes(prior: CodePrior, end: float) -> None:
    codes = prior.from_noise(torch.full((1, POSITIONS), end))
    assert ((codes >= 0) & (codes < CLASSES)).all()


def test_uniform_is_even() -> None:
    prior = parse(SPECS["uniform"]).build(POSITIONS, CLASSES)
    exact = torch.full((len(EVERY),), -POSITIONS * math.log(CLASSES))
    torch.testing.assert_close(prior.log_prob(EVERY), exact)


def test_single_position_is_a_table() -> None:
    prior = parse(SPECS["autoregressive"]).build(1, CLASSES)
    codes = torch.arange(CLASSES).unsqueeze(1)
    logits: Tensor = prior.logits(codes)
    assert torch.equal(logits, logits[:1].expand_as(logits))
    assert prior.log_prob(codes).exp().sum().item() == pytest.approx(1, abs=1e-6)


def test_maximum_likelihood_finds_the_shares() -> None:
    torch.manual_seed(0)
    prior = parse({"kind": "autoregressive", "hidden": (32,)}).build(2, 2)
    codes = torch.tensor([[0, 0]] * 6 + [[1, 1]] * 3 + [[0, 1]])
    optimizer = torch.optim.Adam(prior.parameters(), lr=0.05)
    for _ in range(300):
        optimizer.zero_grad()
        (-prior.log_prob(codes).mean()).backward()
        optimizer.step()
    found = prior.log_prob(torch.tensor([[0, 0], [1, 1], [0, 1], [1, 0]])).exp()
    torch.testing.assert_close(found, torch.tensor([0.6, 0.3, 0.1, 0.0]), atol=0.02, rtol=0)
