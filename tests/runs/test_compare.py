"""Paired comparison: the difference of two runs, with an error smaller than theirs."""

import math
from pathlib import Path

import pytest
from runs.small_recipe import small_recipe

from vaekit.errors import SpecError
from vaekit.runs import Run, compare, train


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    train(small_recipe(), folder / "a")
    train(small_recipe("model.latent_dim=4", "training.epochs=8"), folder / "b")
    autoencoder = ("model.kind=autoencoder", "objective.kind=reconstruction")
    train(small_recipe(*autoencoder), folder / "c")
    return folder


def test_difference_is_that_of_the_means_and_its_error_is_paired(trained: Path) -> None:
    ((nll, elbo, *others),) = compare(Run(trained / "a"), [Run(trained / "b")], examples=120)
    assert [nll.measure, elbo.measure] == ["nll_nats", "elbo_nats"]
    for row in (nll, elbo, *others):
        assert row.difference == pytest.approx(row.other - row.first, abs=1e-9)
    # The spread over images of one NLL is about ten nats, so its error about one.
    assert 0 < nll.standard_error < 0.6 * 10 / math.sqrt(120)


def test_a_run_does_not_differ_from_itself(trained: Path) -> None:
    (rows,) = compare(Run(trained / "a"), [Run(trained / "a")], examples=30, num_samples=7)
    assert {row.difference for row in rows} == {0.0}


def test_only_what_both_have_is_compared(trained: Path) -> None:
    (rows,) = compare(Run(trained / "a"), [Run(trained / "c")], examples=30)
    assert [row.measure for row in rows] == ["expected_log_likelihood_nats"]


def test_other_data_is_refused(trained: Path, tmp_path: Path) -> None:
    other = train(small_recipe("data.seed=1"), tmp_path / "other")
    with pytest.raises(SpecError, match="different data"):
        compare(Run(trained / "a"), [other])
