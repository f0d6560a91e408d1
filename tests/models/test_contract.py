"""Promises that every model keeps."""

import math
from typing import Any

import pytest
import torch
from linear_model import linear_model
from pydantic import TypeAdapter
from torch import Tensor
from torch.distributions import Independent

from vaekit.data import Observation, Statistics
from vaekit.errors import SpecError
from vaekit.models import VAE, Autoencoder, Model, ModelSpec
from vaekit.numerics import draw_noise, generator_for

EVENT = (1, 4, 4)
MLP: dict[str, Any] = {"kind": "mlp", "hidden": (16,)}
CONV: dict[str, Any] = {"kind": "conv", "channels": (4,), "kernel_size": 3, "hidden": 8}
SMALL: dict[str, Any] = {"latent_dim": 3, "encoder": MLP, "decoder": MLP}
SPECS: dict[str, dict[str, Any]] = {
    "vae": {"kind": "vae", **SMALL},
    "vae gaussian": {"kind": "vae", **SMALL, "likelihood": {"kind": "gaussian"}},
    "vae per value": {
        "kind": "vae", **SMALL, "likelihood": {"kind": "gaussian", "scale": "per_value"}
    },
    "vae levels": {"kind": "vae", **SMALL, "likelihood": {"kind": "categorical", "levels": 2}},
    "vae conv": {"kind": "vae", **SMALL, "encoder": CONV, "decoder": CONV},
    "categorical": {
        "kind": "categorical_vae", "variables": 3, "classes": 4, "encoder": MLP, "decoder": MLP
    },
    "vq": {
        "kind": "vq_vae", "positions": 3, "codebook": {"size": 5, "dim": 2},
        "code_prior": {"kind": "autoregressive", "hidden": (16,)}, "encoder": MLP, "decoder": MLP
    },
    "vq uniform": {
        "kind": "vq_vae", "positions": 3, "codebook": {"size": 5, "dim": 2},
        "code_prior": {"kind": "uniform"}, "encoder": CONV, "decoder": CONV
    },
    "autoencoder": {"kind": "autoencoder", **SMALL},
    "autoencoder gaussian": {
        "kind": "autoencoder", **SMALL, "likelihood": {"kind": "gaussian"}
    },
}  # fmt: skip
LATENT = {"categorical": (3, 4), "vq": (3, 2), "vq uniform": (3, 2)}
"""Shape of z, where it is not (3,)."""
LAYER = {"categorical": (3,), "vq": (1,), "vq uniform": (1,)}
"""Shape of its KL, likewise."""
parse = TypeAdapter(ModelSpec)


def statistics() -> Statistics:
    return Statistics(torch.linspace(0.1, 0.9, 16).reshape(EVENT), torch.full(EVENT, 0.4))


def build(name: str) -> Model:
    torch.manual_seed(0)
    return parse.validate_python(SPECS[name]).build(EVENT, statistics()).eval()


def binary(n: int) -> Tensor:
    return torch.bernoulli(torch.full((n, *EVENT), 0.4), generator=generator_for(1))


@pytest.fixture(params=SPECS, ids=str)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def model(name: str) -> Model:
    return build(name)


SHOWN = Observation(binary(5))


def test_spec_goes_there_and_back(name: str) -> None:
    spec = parse.validate_python(SPECS[name])
    assert parse.validate_json(parse.dump_json(spec)) == spec


def test_same_noise_gives_the_same_answer(model: Model) -> None:
    noise = draw_noise(model.noise_spec(5, 2), generator_for(0))
    first, second = model.infer(SHOWN, 2, noise), model.infer(SHOWN, 2, noise)
    assert torch.equal(first.log_likelihood(), second.log_likelihood())
    by_generator = model.infer(SHOWN, 2, generator=generator_for(0))
    assert torch.equal(first.log_likelihood(), by_generator.log_likelihood())
    other = model.infer(SHOWN, 2, generator=generator_for(9))
    assert torch.equal(first.z[0], other.z[0]) == (not model.facts.stochastic)


def test_drawing_from_an_encoding_is_inferring(model: Model) -> None:
    encoding = model.encode(SHOWN)
    assert all(len(part) == 5 for part in encoding)
    noise = draw_noise(model.noise_spec(5, 2), generator_for(0))
    whole, drawn = model.infer(SHOWN, 2, noise), model.infer(SHOWN, 2, noise, encoding=encoding)
    assert torch.equal(whole.log_likelihood(), drawn.log_likelihood())
    # And nothing else of x reaches z: another encoding is another z.
    shift = torch.linspace(1, 20, encoding[0].shape[1])
    moved = model.infer(SHOWN, 2, noise, encoding=tuple(part + shift for part in encoding))
    changed = moved.z[0] != whole.z[0]
    assert changed.any() if model.facts.latent == "discrete" else changed.all()


@pytest.mark.parametrize(("n", "num_samples"), [(5, 1), (5, 3), (1, 2), (0, 2)])
def test_samples_come_first_then_the_batch(
    name: str, model: Model, n: int, num_samples: int
) -> None:
    inference = model.infer(SHOWN[:n], num_samples)
    latent, layer = LATENT.get(name, (3,)), LAYER.get(name, (3,))
    assert [z.shape for z in inference.z] == [(num_samples, n, *latent)]
    assert inference.log_likelihood().shape == (num_samples, n)
    assert inference.log_likelihood_per_value().shape == (num_samples, n, *EVENT)
    for noise in model.noise_spec(n, num_samples):
        assert noise.shape[:2] == (num_samples, n)
    if model.facts.has_density:
        assert [kl.shape for kl in inference.kl] == [(1, n, *layer)]
        assert inference.log_weights().shape == (num_samples, n)


def test_event_is_the_sum_of_its_values(model: Model) -> None:
    inference = model.infer(SHOWN, 2)
    # Sixteen terms below ten nats in float32: 16 * 10 * 6e-8 = 1e-5.
    torch.testing.assert_close(
        inference.log_likelihood(), inference.likelihood.log_prob(SHOWN.x), rtol=0, atol=1e-5
    )


@pytest.mark.parametrize("junk", [1.0, float("nan"), float("inf")])
def test_unobserved_values_have_no_influence(model: Model, junk: float) -> None:
    mask = torch.rand(5, *EVENT, generator=generator_for(2)) < 0.6
    noise = draw_noise(model.noise_spec(5), generator_for(0))
    results = []
    for filling in (0.0, junk):
        x = torch.where(mask, SHOWN.x, filling)
        inference = model.infer(Observation(x, mask=mask), 1, noise)
        fit = inference.log_likelihood()
        gradients = torch.autograd.grad(fit.sum(), list(model.parameters()), allow_unused=True)
        results.append([fit, inference.z[0], *(g for g in gradients if g is not None)])
        assert (inference.log_likelihood_per_value()[:, ~mask] == 0).all()
    for clean, filled in zip(*results, strict=True):
        assert clean.isfinite().all()
        assert torch.equal(clean, filled)


def test_a_full_mask_is_no_mask_and_an_empty_one_is_the_mean_image(model: Model) -> None:
    noise = draw_noise(model.noise_spec(5), generator_for(0))
    full = Observation(SHOWN.x, mask=torch.ones(5, *EVENT, dtype=torch.bool))
    plain, masked = (model.infer(shown, 1, noise).log_likelihood() for shown in (SHOWN, full))
    assert torch.equal(plain, masked)
    empty = Observation(SHOWN.x, mask=torch.zeros(5, *EVENT, dtype=torch.bool))
    assert (model.infer(empty, 1, noise).log_likelihood() == 0).all()
    mean_image = Observation(statistics().mean.expand(5, *EVENT))
    assert torch.equal(model.embed(empty), model.embed(mean_image))


def test_embedding_is_deterministic(name: str, model: Model) -> None:
    # Peers return a random draw of z here.
    assert torch.equal(model.embed(SHOWN), model.embed(SHOWN))
    assert model.embed(SHOWN).shape == (5, math.prod(LATENT.get(name, (3,))))


def test_embedding_is_the_mean_of_z(model: Model) -> None:
    inference = model.infer(SHOWN, 4, generator=generator_for(0))
    if model.facts.latent == "discrete":
        # No mean of codes is a code: it is the most probable one, which nothing drawn gives too.
        middle = model.infer_at_mean(SHOWN).z[0][0]
        assert torch.equal(model.embed(SHOWN), middle.flatten(1))
    if model.facts.latent == "continuous" and model.facts.has_density:
        assert torch.equal(model.embed(SHOWN), inference.posterior[0].mean)
    drawn = inference.z[0].flatten(2)
    every = model.embed(SHOWN).expand_as(drawn)
    assert torch.equal(every, drawn) == (not model.facts.stochastic)


def test_embedding_of_the_linear_model_is_its_posterior_mean() -> None:
    truth = linear_model()
    shown = truth.draw(20)
    # A dozen float64 terms below ten: 1e-15 each.
    torch.testing.assert_close(
        truth.vae().embed(shown), truth.posterior_mean(shown.x), rtol=0, atol=1e-12
    )


def test_facts_are_true(model: Model) -> None:
    # Of discrete codes, gradients are a matter of training.
    inference = model.train(model.facts.latent == "discrete").infer(SHOWN, 2)
    assert model.facts.has_density == bool(inference.posterior) == bool(inference.prior)
    if not model.facts.has_density:
        with pytest.raises(SpecError, match=r"model\.kind = 'vae'"):
            inference.log_weights()
        with pytest.raises(SpecError, match=r"model\.kind = 'vae'"):
            _ = inference.kl
        return
    encoder = next(p for n, p in model.named_parameters() if n.startswith("encoder"))
    (gradient,) = torch.autograd.grad(
        inference.z[0].square().sum(), encoder, allow_unused=True, retain_graph=True
    )
    assert model.facts.reparameterized == (gradient is not None)
    assert inference.kl_is_analytic == (True,)
    model.train()
    assert not model.facts.batch_statistics
    # Neighbours change which kernel multiplies, not more: a few float32 roundings.
    together = model.embed(SHOWN)[:2]
    torch.testing.assert_close(together, model.embed(SHOWN[:2]), rtol=1e-5, atol=1e-6)


def test_batch_statistics_are_declared_where_neighbours_matter() -> None:
    networks = {"encoder": {**MLP, "normalization": "batch"}, "decoder": MLP}
    spec = parse.validate_python({"kind": "vae", "latent_dim": 3, **networks})
    model = spec.build(EVENT, statistics())
    assert model.facts.batch_statistics
    assert (model.embed(SHOWN)[:2] - model.embed(SHOWN[:2])).abs().max() > 0.01


def test_detached_log_q_reaches_the_encoder_through_z_alone() -> None:
    # log q(z | x) has expected score zero: dropping the parameters' own part changes the
    # gradient of a draw, but not its value.
    inference = build("vae").infer(SHOWN, 3, generator=generator_for(0))
    plain, detached = inference.log_q(), inference.log_q(detach_parameters=True)
    assert torch.equal(plain, detached)
    (posterior,) = inference.posterior
    assert isinstance(posterior, Independent)
    base = posterior.base_dist
    (of_plain,) = torch.autograd.grad(plain.sum(), base.loc, retain_graph=True)
    (of_detached,) = torch.autograd.grad(detached.sum(), base.loc)
    # d/dloc through z alone is -(z - loc) / scale^2; the direct part is its opposite.
    expected = (-(inference.z[0] - base.loc) / base.variance).sum(0)
    torch.testing.assert_close(of_detached, expected, rtol=1e-4, atol=1e-5)  # float32, e^-2 log sc.
    assert of_plain.abs().max() < 1e-4


def test_decoder_starts_at_the_data_mean(name: str) -> None:
    if name == "vae levels":
        pytest.skip("a rounded normal of two levels has other moments than the data")
    linear = {**SPECS[name], "decoder": {"kind": "mlp", "hidden": ()}}  # nothing at z = 0
    model = parse.validate_python(linear).build(EVENT, statistics())
    start = model.decode((torch.zeros(1, 1, *LATENT.get(name, (3,))),))
    # A float32 sigmoid of a logit, or nothing at all.
    torch.testing.assert_close(start.mean[0, 0], statistics().mean, rtol=0, atol=1e-6)


def test_numbers_stay_float32_under_bfloat16(model: Model) -> None:
    noise = draw_noise(model.noise_spec(5, 2), generator_for(0))
    exact = model.infer(SHOWN, 2, noise)
    with torch.autocast("cpu", torch.bfloat16):
        inference = model.infer(SHOWN, 2, noise)
        numbers = [inference.log_likelihood(), *inference.z, model.embed(SHOWN)]
        if model.facts.has_density:
            numbers += [inference.log_weights(), *inference.kl]
    assert all(value.dtype == torch.float32 for value in numbers)
    if model.facts.latent == "discrete":
        return  # a rounded logit can be another code, and another code is another likelihood
    # bfloat16 keeps three digits of a product; outputs are of order one, sixteen values each.
    assert (inference.log_likelihood() - exact.log_likelihood()).abs().max() < 0.5
    assert not torch.equal(inference.log_likelihood(), exact.log_likelihood())


def test_float64_stays_float64(model: Model) -> None:
    inference = model.double().infer(SHOWN.to("cpu", torch.float64), 2)
    assert inference.log_likelihood().dtype == torch.float64
    if model.facts.has_density:
        assert inference.kl[0].dtype == inference.log_weights().dtype == torch.float64


def test_decode_is_what_infer_decoded(model: Model) -> None:
    inference = model.infer(SHOWN, 2)
    again = model.decode(inference.z)
    assert again.batch_shape == (2, 5)
    assert torch.equal(again.log_prob(SHOWN.x), inference.likelihood.log_prob(SHOWN.x))


def test_autoencoder_refuses_to_sample() -> None:
    model = build("autoencoder")
    assert isinstance(model, Autoencoder)
    with pytest.raises(SpecError, match="no prior to sample from") as raised:
        model.sample(3)
    assert "model.kind = 'vae'" in str(raised.value)


def test_sample_decodes_noise_scaled_by_temperature() -> None:
    model = build("vae gaussian")
    assert isinstance(model, VAE)
    noise = draw_noise(model.noise_spec(4), generator_for(0))
    drawn = model.sample(4, temperature=0.5, noise=noise)
    assert drawn.batch_shape == (4,)
    torch.testing.assert_close(drawn.mean, model.decode((0.5 * noise[0],)).mean[0])
    assert torch.equal(drawn.mean, model.sample(4, None, 0.5, None, generator_for(0)).mean)
    cold = model.sample(4, temperature=0.0).mean
    torch.testing.assert_close(cold, cold[:1].expand_as(cold))
    spread = [
        model.sample(64, None, t, None, generator_for(1)).mean.std(0).mean() for t in (0.3, 1)
    ]
    assert spread[0] < 0.6 * spread[1]
    assert model.sample(0).mean.shape == (0, *EVENT)
