"""Curves of several runs in one picture."""

import numpy as np
import pytest

from vaekit.errors import DataError
from vaekit.figures import compared_curves
from vaekit.figures.style import MINUS


def log(kind: str = "validation", **terms: float) -> list[dict[str, object]]:
    return [{"kind": kind, "epoch": e, **{k: v - e for k, v in terms.items()}} for e in range(10)]


def test_a_line_for_each_run_and_a_panel_for_each_common_term() -> None:
    one = log(elbo_nats=-90.0, kl_nats=20.0) + log("training", elbo_nats=0.0, kl_nats=0.0)
    figure = compared_curves({"one": one, "two": log(elbo_nats=-95.0)})
    (ax,) = figure.axes
    assert ax.get_title(loc="left") == f"{MINUS}ELBO"
    first, second = ax.get_lines()
    assert np.asarray(first.get_ydata()).tolist() == [
        90.0 + e for e in range(10)
    ]  # validation alone
    assert np.asarray(second.get_ydata()).tolist() == [95.0 + e for e in range(10)]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["one", "two"]


def test_training_where_there_is_no_validation() -> None:
    figure = compared_curves({"one": log("training", kl_nats=5.0)})
    assert np.asarray(figure.axes[0].get_lines()[0].get_ydata()).tolist()[:2] == [5.0, 4.0]


@pytest.mark.parametrize(
    "logs",
    [{}, {"a": log(kl_nats=1.0), "b": log(elbo_nats=1.0)}, {str(i): log() for i in range(11)}],
    ids=["none", "nothing in common", "too many"],
)
def test_what_cannot_be_drawn_is_refused(logs: dict[str, list[dict[str, object]]]) -> None:
    with pytest.raises(DataError, match="cannot be drawn together"):
        compared_curves(logs)
