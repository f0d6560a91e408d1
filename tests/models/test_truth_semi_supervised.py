"""The semi-supervised VAE against sums over its classes, and against a conditional VAE."""

import math
from typing import Any

import pytest
import torch
from pydantic import TypeAdapter
from torch import Tensor, nn

from vaekit.data import Observation, Statistics
from vaekit.errors import SpecError
from vaekit.evaluation import classified, importance_sampling
from vaekit.models import VAE, ModelSpec, SemiSupervisedVAE
from vaekit.numerics import draw_noise, generator_for
from vaekit.objectives import M2, M2Spec, class_bounds

VALUES, CLASSES, LATENT, HIDDEN = 6, 3, 2, 12
NETWORK: dict[str, Any] = {"kind": "mlp", "hidden": (HIDDEN,), "activation": "silu"}
X = torch.bernoulli(torch.full((8, VALUES), 0.4, dtype=torch.float64), generator=generator_for(0))
LABELS = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1])
C = torch.eye(CLASSES, dtype=torch.float64)[LABELS]
parse = TypeAdapter(ModelSpec)


def built(spec: dict[str, Any]) -> nn.Module:
    moments = Statistics(torch.full((VALUES,), 0.4), torch.full((VALUES,), 0.5), CLASSES)
    chosen = parse.validate_python({"latent_dim": LATENT, "decoder": NETWORK, **spec})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = chosen.build((VALUES,), moments).double()
        for weight in model.parameters():
            nn.init.normal_(weight, std=0.4)
    return model.eval()


def semi_supervised() -> SemiSupervisedVAE:
    linear = {**NETWORK, "hidden": ()}
    own = {"classifier": NETWORK, "encoder": linear, "features": HIDDEN}
    model = built({"kind": "semi_supervised_vae", **own})
    assert isinstance(model, SemiSupervisedVAE)
    return model


def conditional(model: SemiSupervisedVAE) -> VAE:
    """The conditional VAE of the same p(x | y, z) and q(z | x, y)."""
    vae = built({"kind": "vae", "encoder": NETWORK})
    assert isinstance(vae, VAE)
    weights, ours = vae.state_dict(), model.state_dict()
    for name in weights:
        if name.startswith("decoder."):
            weights[name] = ours[name]
    for end in ("weight", "bias"):
        weights[f"encoder.network.1.{end}"] = ours[f"encoder.network.1.{end}"]
        weights[f"encoder.network.3.{end}"] = ours[f"code.head.{end}"]
    # There the class is added to x, here to the first hidden layer: W (x + A c) = W x + (W A) c.
    first = weights["encoder.network.1.weight"]
    weights["encoder.condition.weight"] = torch.linalg.pinv(first) @ ours["code.join.weight"]
    model.code.join.weight.data = first @ weights["encoder.condition.weight"]
    vae.load_state_dict(weights)
    return vae


def noise_of(model: SemiSupervisedVAE, num_samples: int = 1) -> tuple[Tensor, ...]:
    spec = model.noise_spec(len(X), num_samples)
    return draw_noise(spec, generator_for(3), dtype=torch.float64)


@pytest.mark.parametrize("num_samples", [1, 3])
def test_the_labeled_bound_is_that_of_a_conditional_vae_and_log_p_of_the_class(
    num_samples: int,
) -> None:
    model = semi_supervised()
    vae, noise = conditional(model), noise_of(model, num_samples)
    bounds = class_bounds(model, Observation(X), num_samples, noise)
    for label in range(CLASSES):
        c = torch.eye(CLASSES, dtype=torch.float64)[[label] * len(X)]
        inference = vae.infer(Observation(X, c), num_samples, noise[1:])
        elbo = inference.log_likelihood().mean(0) - inference.kl[0].sum((0, 2))
        found = bounds.labeled[:, label]
        torch.testing.assert_close(found, elbo - math.log(CLASSES), rtol=0, atol=1e-11)


def test_the_unlabeled_bound_is_the_elbo_over_classes() -> None:
    """Draws of y instead of the sum: the same number, but for their noise."""
    model, draws = semi_supervised(), 20_000
    bound = class_bounds(model, Observation(X), draws, generator=generator_for(1)).unlabeled
    inference = model.infer(Observation(X), draws, generator=generator_for(2))
    weights = inference.log_weights()
    # Each side averages as many draws of z; five standard errors of the noisier one.
    error = weights.std(0) / draws**0.5
    assert ((weights.mean(0) - bound).abs() < 5 * 2**0.5 * error).all()
    assert error.max() < 0.05


def test_a_class_of_probability_one_leaves_its_own_bound() -> None:
    model = semi_supervised()
    with torch.no_grad():
        bias = model.get_parameter("classifier.network.3.bias")
        bias.copy_(torch.tensor([0.0, 800.0, 0.0]))
    bounds = class_bounds(model, Observation(X), 1, noise_of(model))
    torch.testing.assert_close(bounds.unlabeled, bounds.labeled[:, 1])


def test_a_uniform_classifier_averages_the_conditional_bounds() -> None:
    model = semi_supervised()
    with torch.no_grad():
        for weight in model.classifier.network.parameters():
            weight.zero_()
    bounds = class_bounds(model, Observation(X), 1, noise_of(model))
    given = bounds.labeled + math.log(CLASSES)  # without p(y)
    torch.testing.assert_close(bounds.unlabeled, given.mean(-1))


def test_the_exact_posterior_of_the_class_makes_the_bound_a_log_sum() -> None:
    """Of all q(y | x), the softmax of L(x, y) is best, and then U is the log of their sum."""
    model = semi_supervised()
    best = class_bounds(model, Observation(X), 1, noise_of(model))
    exact = best._replace(log_q=best.labeled.log_softmax(-1))
    torch.testing.assert_close(exact.unlabeled, best.labeled.logsumexp(-1))
    assert (best.unlabeled < exact.unlabeled).all()


def exact_log_p(model: SemiSupervisedVAE) -> Tensor:
    """log p(x) by a fine grid over z, for every class in turn."""
    line = torch.linspace(-6, 6, 161, dtype=torch.float64)
    z = torch.cartesian_prod(line, line).unsqueeze(1)
    log_density = -0.5 * z.square().sum(-1) - math.log(2 * math.pi)
    log_cell = 2 * math.log(line[1] - line[0])
    by_class = []
    for label in range(CLASSES):
        y = torch.eye(CLASSES, dtype=torch.float64)[label].expand(len(z), 1, -1)
        fits = model.decode((y, z)).log_prob(X)
        by_class.append((fits + log_density + log_cell).logsumexp(0))
    return torch.stack(by_class).logsumexp(0) - math.log(CLASSES)


def test_importance_sampling_finds_log_p_and_bounds_stay_below() -> None:
    model = semi_supervised()
    exact = exact_log_p(model)
    shown = Observation(X, C.flip(0))  # wrong labels, which are not looked at
    estimate = importance_sampling(model, [shown], 40_000, seed=0)
    assert ((estimate.log_likelihood - exact).abs() < 5 * estimate.monte_carlo_error).all()
    assert estimate.monte_carlo_error.max() < 0.15
    bounds = class_bounds(model, Observation(X), 2000, generator=generator_for(0))
    assert (bounds.unlabeled < exact).all()
    assert (bounds.labeled < exact.unsqueeze(1)).all()


def test_the_label_reaches_nothing_that_looks_at_x() -> None:
    model, noise = semi_supervised(), noise_of(semi_supervised(), 2)
    told, alone = Observation(X, C), Observation(X)
    assert torch.equal(model.embed(told), model.embed(alone))
    assert torch.equal(model.classify(told), model.classify(alone))
    first, second = (model.infer(shown, 2, noise).log_weights() for shown in (told, alone))
    assert torch.equal(first, second)


def test_a_known_class_takes_the_place_of_the_drawn_one() -> None:
    model, spec = semi_supervised(), semi_supervised().sample_noise_spec(8)
    noise = draw_noise(spec, generator_for(0), dtype=torch.float64)
    drawn, told = model.sample(8, noise=noise).mean, model.sample(8, C, noise=noise).mean
    assert torch.equal(model.sample(8, torch.zeros(8, CLASSES), noise=noise).mean, drawn)
    torch.testing.assert_close(told, model.decode((C.unsqueeze(0), noise[1])).mean[0])
    assert not torch.equal(drawn, told)
    codes = model.latents(model.embed(Observation(X)))
    torch.testing.assert_close(model.decode(codes, C).mean, model.decode((C[None], codes[1])).mean)


def test_accuracy_counts_known_labels() -> None:
    model = semi_supervised()
    best = model.classify(Observation(X)).argmax(-1)
    labels = torch.where(torch.arange(8) < 2, -1, (best + (torch.arange(8) > 5)) % CLASSES)
    right = classified(model, [Observation(X[:5], C[:5]), Observation(X[5:])], labels)
    assert right.tolist() == [True] * 4 + [False] * 2


def test_every_class_needs_a_name() -> None:
    alone = Statistics(torch.zeros(VALUES), torch.ones(VALUES))
    with pytest.raises(SpecError, match=r"set transform\.condition = \['label'\]"):
        parse.validate_python({"kind": "semi_supervised_vae"}).build((VALUES,), alone)


# -- the objective -------------------------------------------------------------------------------

HALF = Observation(X, C * (torch.arange(8) >= 6).unsqueeze(1))


def test_the_loss_is_the_papers_per_training_example() -> None:
    """A batch of 6 without and 2 with a label, in a training split of 40 with 10."""
    model, noise = semi_supervised(), noise_of(semi_supervised())
    objective = M2(M2Spec(labeled=10, labeled_share=0.25, classification_weight=0.7), 40)
    bounds = class_bounds(model, HALF, 1, noise)
    own = LABELS[6:].unsqueeze(1)
    expected = -(
        0.75 * bounds.unlabeled[:6].mean()
        + 0.25 * bounds.labeled[6:].gather(1, own).mean()
        + 0.7 * bounds.log_q[6:].gather(1, own).mean()
    )
    terms = objective(model, HALF, {}, noise)
    torch.testing.assert_close(terms.losses["model"], expected)
    torch.testing.assert_close(terms.reported["elbo_nats"], bounds.unlabeled[:6].mean())
    right = (bounds.log_q[6:].argmax(-1) == LABELS[6:]).double().mean()
    assert terms.reported["accuracy"] == right


def test_a_batch_may_be_cut_anywhere() -> None:
    model, noise = semi_supervised(), noise_of(semi_supervised())
    objective = M2(M2Spec(labeled=4), 100)
    whole = objective(model, HALF, {}, noise)
    parts = [
        objective(model, HALF[rows], {}, tuple(layer[:, rows] for layer in noise))
        for rows in (slice(0, 4), slice(4, 8))
    ]
    torch.testing.assert_close(
        whole.losses["model"], sum(part.losses["model"] for part in parts) / 2
    )
    for name, value in whole.reported.items():
        torch.testing.assert_close(value, sum(part.reported[name] for part in parts) / 2)


def test_reports_of_evaluation_are_of_all_examples() -> None:
    model, noise = semi_supervised(), noise_of(semi_supervised())
    objective = M2(M2Spec(), 100).eval()
    shown = Observation(X, C)
    terms, bounds = objective(model, shown, {}, noise), class_bounds(model, shown, 1, noise)
    torch.testing.assert_close(terms.reported["elbo_nats"], bounds.unlabeled.mean())
    fit, kl = (terms.reported[f"{n}_nats"] for n in ("expected_log_likelihood", "kl"))
    torch.testing.assert_close(fit - kl, terms.reported["elbo_nats"])
    q = bounds.log_q.exp()
    torch.testing.assert_close(fit, (q * bounds.fit).sum(-1).mean())
    assert not any(value.requires_grad for value in terms.reported.values())
    assert "accuracy" not in objective(model, Observation(X), {}, noise).reported


def test_the_loss_is_a_bound_and_teaches_every_part() -> None:
    model, objective = semi_supervised(), M2(M2Spec(num_samples=200), 400)
    loss = objective(model, HALF, {}, generator=generator_for(0)).losses["model"]
    assert M2Spec().is_bound
    weights = torch.where(torch.arange(8) < 6, 0.75 / 6, 0.25 / 2)
    assert -loss < (weights * exact_log_p(model)).sum()
    loss.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_a_share_that_is_no_whole_number_is_refused() -> None:
    assert M2Spec(labeled_share=0.1).labeled_of(250) == 25
    with pytest.raises(SpecError, match="no whole number"):
        M2Spec(labeled_share=0.3).labeled_of(256)


def test_another_model_is_refused_when_it_is_trained() -> None:
    vae = conditional(semi_supervised())
    with pytest.raises(SpecError, match="sums over the classes"):
        M2Spec().build()(vae, Observation(X, C), {}, generator=generator_for(0))
