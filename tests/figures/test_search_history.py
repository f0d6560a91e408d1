import numpy as np
import pytest

from vaekit.errors import DataError
from vaekit.figures import TrialPoint, search_history

TRIALS = [
    TrialPoint(0, -90.0, True, {"rate": "0.001", "kind": "b"}),
    TrialPoint(1, -95.0, False, {"rate": "0.1", "kind": "a"}),
    TrialPoint(2, -80.0, True, {"rate": "0.01", "kind": "a"}),
    TrialPoint(3, -85.0, True, {"rate": "0.02", "kind": "b"}),
]


def test_trials_and_every_setting() -> None:
    figure = search_history(TRIALS, "elbo_nats", maximize=True, log=["rate"])
    by_trial, by_rate, by_kind = figure.axes
    complete, given_up = by_rate.lines
    assert np.asarray(complete.get_xdata()).tolist() == [0.001, 0.01, 0.02]
    assert np.asarray(given_up.get_ydata()).tolist() == [-95.0]
    assert by_rate.get_xscale() == "log"
    assert [text.get_text() for text in by_kind.get_xticklabels()] == ["a", "b"]
    best = by_trial.lines[-1]
    assert np.asarray(best.get_ydata()).tolist() == [-90.0, -80.0, -80.0]


def test_the_best_may_be_the_least() -> None:
    (by_trial, *_) = search_history(TRIALS, "nll_nats", maximize=False).axes
    assert np.asarray(by_trial.lines[-1].get_ydata()).tolist() == [-90.0, -90.0, -90.0]


@pytest.mark.parametrize("trials", [[], [TrialPoint(0, float("nan"), True, {})]])
def test_nothing_to_draw(trials: list[TrialPoint]) -> None:
    with pytest.raises(DataError, match="no search to draw"):
        search_history(trials, "elbo_nats", maximize=True)
