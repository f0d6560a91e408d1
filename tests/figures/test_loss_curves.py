import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaekit.errors import DataError
from vaekit.figures import loss_curves
from vaekit.figures.style import MINUS

BOUND, FIT, KL = f"{MINUS}ELBO", f"{MINUS}E[log p(x|z)]", "KL(q(z|x) ‖ p(z))"


def panels(figure: Figure) -> dict[str, Axes]:
    return {ax.get_title(loc="left"): ax for ax in figure.axes}


def drawn(ax: Axes, kind: str) -> tuple[np.ndarray, np.ndarray]:
    (line,) = [line for line in ax.lines if line.get_label() == kind]
    return np.asarray(line.get_xdata()), np.asarray(line.get_ydata())


def logged(records, kind: str, term: str) -> np.ndarray:
    return np.array([record[term] for record in records if record["kind"] == kind])


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("kind", ["training", "validation"])
def test_draws_every_value_of_the_log(records, kind: str) -> None:
    axes = panels(loss_curves(records))
    assert list(axes) == [BOUND, FIT, KL]
    for title, term, sign in [
        (BOUND, "elbo_nats", -1),
        (FIT, "expected_log_likelihood_nats", -1),
        (KL, "kl_nats", 1),
    ]:
        epochs, values = drawn(axes[title], kind)
        np.testing.assert_array_equal(epochs, logged(records, kind, "epoch"))
        np.testing.assert_array_equal(values, sign * logged(records, kind, term))


def test_first_steps_do_not_squash_the_rest(records) -> None:
    ax = panels(loss_curves(records))[BOUND]
    values = -logged(records, "training", "elbo_nats")
    later = values[len(values) // 10 :]
    bottom, top = ax.get_ylim()
    assert bottom < later.min()
    assert later.max() < top < values.max()
    assert later.max() - later.min() > 0.4 * (top - bottom)
    assert f"↑ up to {values.max():.1f}" in texts(ax)


def test_one_late_spike_does_not_squash_the_rest(records) -> None:
    many = [{**r, "step": i, "epoch": i / 100} for i, r in enumerate(records[-2:-1] * 500)]
    many[400]["elbo_nats"] = -1e6
    assert panels(loss_curves(many))[BOUND].get_ylim()[1] < 1e3


def test_a_late_rise_is_shown_whole(records) -> None:
    worst = {**records[-1], "elbo_nats": -500.0}
    assert panels(loss_curves([*records[:-1], worst]))[BOUND].get_ylim()[1] > 500


def test_noise_of_a_flat_term_does_not_fill_its_panel(records) -> None:
    flat = [{**r, "kl_nats": 25 + 0.01 * (i % 2)} for i, r in enumerate(records)]
    bottom, top = panels(loss_curves(flat))[KL].get_ylim()
    assert top - bottom > 1


def test_a_collapsed_term_does_not_look_negative(records) -> None:
    collapsed = [{**r, "kl_nats": 0.0} for r in records]
    bottom, top = panels(loss_curves(collapsed))[KL].get_ylim()
    assert -0.1 * top < bottom < 0


def test_last_validation_value_is_written(records) -> None:
    ax = panels(loss_curves(records))[KL]
    assert f"{logged(records, 'validation', 'kl_nats')[-1]:.2f}" in texts(ax)


def test_beta_is_shaded_where_it_varies(records) -> None:
    assert not panels(loss_curves(records))[KL].collections
    risen = [{**r, "beta": min(0.5, r["epoch"] / 8)} for r in records]
    ax = panels(loss_curves(risen))[KL]
    (shade,) = ax.collections
    heights = np.asarray(shade.get_paths()[0].vertices)[:, 1]
    assert (heights.min(), heights.max()) == (0, 1)
    assert ax.get_title(loc="right") == "shaded: β ≤ 0.5"


def test_without_validation_the_last_training_value_is_written(records) -> None:
    training = [r for r in records if r["kind"] == "training"]
    figure = loss_curves(training)
    assert f"{training[-1]['kl_nats']:.2f}" in texts(panels(figure)[KL])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["training"]


def test_one_record_is_a_visible_point(records) -> None:
    line = panels(loss_curves(records[:1]))[BOUND].lines[0]
    assert line.get_marker() == "o"


def test_missing_terms_have_no_panel(records) -> None:
    kept = {"kind", "step", "epoch", "expected_log_likelihood_nats", "loss_nats"}
    autoencoder = [{k: v for k, v in r.items() if k in kept} for r in records]
    assert list(panels(loss_curves(autoencoder))) == [FIT]


def test_importance_weighted_bound_has_a_panel(records) -> None:
    figure = loss_curves([{**r, "iwae_nats": r["elbo_nats"] + 2} for r in records])
    assert list(panels(figure)) == [f"{MINUS}IWAE bound", BOUND, FIT, KL]


def test_what_an_objective_has_of_its_own_has_panels(records) -> None:
    told = [{**r, "feature_error_nats": 9.0, "discriminator_loss_nats": 1.3} for r in records]
    figure = loss_curves(told)
    titles = [ax.get_title(loc="left") for ax in figure.axes if ax.axison]
    assert titles[2:] == ["distance of features", "loss of the discriminator", "KL(q(z|x) ‖ p(z))"]
    assert sum(ax.get_xlabel() == "epoch" for ax in figure.axes) == 3


def test_an_accuracy_fills_its_panel(records) -> None:
    shares = np.linspace(0.8, 0.9, len(records))
    figure = loss_curves([{**r, "accuracy": a} for r, a in zip(records, shares, strict=True)])
    (ax,) = (ax for ax in figure.axes if "accuracy" in ax.get_title(loc="left"))
    assert np.ptp(ax.get_ylim()) < 0.15


def test_values_that_are_no_numbers_leave_gaps(records) -> None:
    records[0]["kl_nats"], records[1]["kl_nats"] = float("nan"), None
    _, values = drawn(panels(loss_curves(records))[KL], "training")
    assert len(values) == len(logged(records, "training", "epoch")) - 2


def test_a_term_that_ends_early_is_drawn(records) -> None:
    for record in records[2:]:
        del record["kl_nats"]
    assert KL in panels(loss_curves(records))


@pytest.mark.parametrize("records", [[], [{"kind": "training", "step": 1, "epoch": 0.1}]])
def test_nothing_to_draw(records) -> None:
    with pytest.raises(DataError, match="log_every_steps"):
        loss_curves(records)
