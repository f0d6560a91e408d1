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
from vaekit.distributions import moments
from vaekit.errors import SpecError
from vaekit.models import VAE, Autoencoder, Model, ModelSpec
from vaekit.numerics import draw_noise, generator_for

EVENT = (1, 4, 4)
MLP: dict[str, Any] = {"kind": "mlp", "hidden": (16,)}
CONV: dict[str, Any] = {"kind": "conv", "channels": (4,), "kernel_size": 3, "hidden": 8}
SMALL: dict[str, Any] = {"latent_dim": 3, "encoder": MLP, "decoder": MLP}
HIERARCHY: dict[str, Any] = {
    "latent_dims": (4, 3), "encoder": MLP, "decoder": MLP, "between": {"hidden": (8,)}
}  # fmt: skip
LADDER: dict[str, Any] = {"kind": "mlp", "width": 16}
SPECS: dict[str, dict[str, Any]] = {
    "vae": {"kind": "vae", **SMALL},
    "vae gaussian": {"kind": "vae", **SMALL, "likelihood": {"kind": "gaussian"}},
    "vae per value": {
        "kind": "vae", **SMALL, "likelihood": {"kind": "gaussian", "scale": "per_value"}
    },
    "vae optimal": {
        "kind": "vae", **SMALL, "likelihood": {"kind": "gaussian", "scale": "optimal"}
    },
    "vae sparse": {"kind": "vae", **SMALL, "prior": {"kind": "laplace"}},
    "vae spikes": {"kind": "vae", **SMALL, "prior": {"kind": "spike_and_slab"}},
    "vae levels": {"kind": "vae", **SMALL, "likelihood": {"kind": "categorical", "levels": 2}},
    "vae conv": {"kind": "vae", **SMALL, "encoder": CONV, "decoder": CONV},
    "vae mixture": {"kind": "vae", **SMALL, "prior": {"kind": "mixture", "components": 4}},
    "vae real_nvp": {"kind": "vae", **SMALL, "prior": {"kind": "real_nvp", "hidden": (8,)}},
    "vae full covariance": {"kind": "vae", **SMALL, "posterior": {"kind": "full_covariance"}},
    "vae flow": {"kind": "vae", **SMALL, "posterior": {"kind": "inverse_autoregressive_flow"}},
    "hierarchical": {"kind": "hierarchical_vae", **HIERARCHY},
    "hierarchical conv": {
        "kind": "hierarchical_vae", **HIERARCHY, "encoder": CONV, "decoder": CONV
    },
    "hierarchical deep": {"kind": "hierarchical_vae", **HIERARCHY, "latent_dims": (5, 4, 3)},
    "hierarchical flat": {"kind": "hierarchical_vae", **HIERARCHY, "latent_dims": (3,)},
    "ladder": {"kind": "ladder_vae", "network": {**LADDER, "latent_dims": (4, 3)}},
    "ladder deep": {"kind": "ladder_vae", "network": {**LADDER, "latent_dims": (2, 5, 4, 3)}},
    "ladder flat": {"kind": "ladder_vae", "network": {**LADDER, "latent_dims": (3,)}},
    "ladder conv": {
        "kind": "ladder_vae", "network": {"kind": "conv", "channels": (4, 8), "layers": (1, 2)}
    },
    "ladder attention": {
        "kind": "ladder_vae",
        "network": {
            "kind": "conv", "channels": (4, 4), "layers": (0, 2), "latent_channels": 3,
            "attention": True, "activation": "gated", "normalization": "group",
        },
    },
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
    "semi-supervised": {"kind": "semi_supervised_vae", **SMALL, "classifier": MLP, "features": 8},
    "semi-supervised conv": {
        "kind": "semi_supervised_vae", "latent_dim": 4, "classifier": CONV, "encoder": CONV,
        "decoder": CONV, "features": 8, "prior": {"kind": "mixture", "components": 4}
    },
    "autoencoder": {"kind": "autoencoder", **SMALL},
    "autoencoder gaussian": {
        "kind": "autoencoder", **SMALL, "likelihood": {"kind": "gaussian"}
    },
}  # fmt: skip
SIZES = {
    "hierarchical": (3, 4),
    "hierarchical conv": (3, 4),
    "hierarchical deep": (3, 4, 5),
    "ladder": (3, 4),
    "ladder deep": (3, 4, 5, 2),
    "ladder conv": (4, 4, 16),
    "ladder attention": (3, 3),
    "semi-supervised": (3, 3),
    "semi-supervised conv": (3, 4),
}
"""Of the layers of z, the top first; one of three where it is not said."""
LATENT = {"categorical": (3, 4), "vq": (3, 2), "vq uniform": (3, 2)}
"""Shape of z, where it is not (3,)."""
LAYER = {"categorical": (3,), "vq": (1,), "vq uniform": (1,)}
"""Shape of its KL, likewise."""
KL_OF_CODE = {"semi-supervised": 3, "semi-supervised conv": 1}
"""Numbers in the KL of the code, beside that of the class."""
parse = TypeAdapter(ModelSpec)


CLASSES = 3


def statistics(conditions: int = 0) -> Statistics:
    mean, std = torch.linspace(0.1, 0.9, 16).reshape(EVENT), torch.full(EVENT, 0.4)
    return Statistics(mean, std, conditions)


def has_classes(name: str) -> bool:
    return name.startswith("semi-supervised")


def build(name: str) -> Model:
    torch.manual_seed(0)
    spec = parse.validate_python(SPECS[name])
    return spec.build(EVENT, statistics(CLASSES if has_classes(name) else 0)).eval()


def binary(n: int) -> Tensor:
    return torch.bernoulli(torch.full((n, *EVENT), 0.4), generator=generator_for(1))


@pytest.fixture(params=SPECS, ids=str)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def model(name: str) -> Model:
    return build(name)


@pytest.fixture
def sizes(name: str) -> tuple[int, ...]:
    return SIZES.get(name, (3,))


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
    is_discrete = model.facts.latent == "discrete"
    other = tuple(
        part + (torch.linspace(1, 20, part.shape[1]) if is_discrete else 1) for part in encoding
    )
    moved = model.infer(SHOWN, 2, noise, encoding=other)
    for before, after in zip(whole.z, moved.z, strict=True):
        changed = after != before
        assert changed.any() if is_discrete else changed.any(-1).all()


@pytest.mark.parametrize(("n", "num_samples"), [(5, 1), (5, 3), (1, 2), (0, 2)])
def test_samples_come_first_then_the_batch(
    name: str, model: Model, sizes: tuple[int, ...], n: int, num_samples: int
) -> None:
    inference = model.infer(SHOWN[:n], num_samples)
    shapes = [LATENT[name]] if name in LATENT else [(size,) for size in sizes]
    assert [layer.shape for layer in inference.z] == [(num_samples, n, *s) for s in shapes]
    assert inference.log_likelihood().shape == (num_samples, n)
    assert inference.log_likelihood_per_value().shape == (num_samples, n, *EVENT)
    for noise in model.noise_spec(n, num_samples):
        assert noise.shape[:2] == (num_samples, n)
    if model.facts.has_density:
        assert inference.log_weights().shape == (num_samples, n)
    if has_classes(name):
        assert [kl.shape for kl in inference.kl] == [(1, n, 1), (num_samples, n, KL_OF_CODE[name])]
    elif name in LAYER:
        assert [kl.shape for kl in inference.kl] == [(1, n, *LAYER[name])]
    elif model.facts.has_density:
        draws = 1 if len(sizes) == 1 and inference.kl_is_analytic == (True,) else num_samples
        factors = (*inference.posterior, *inference.prior)
        if not all(isinstance(factor, Independent) for factor in factors):
            sizes = tuple(1 for _ in sizes)
        assert [kl.shape for kl in inference.kl][1:] == [(draws, n, size) for size in sizes[1:]]
        assert inference.kl[0].shape in ((1, n, sizes[0]), (draws, n, sizes[0]))
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


def test_embedding_is_deterministic(name: str, model: Model, sizes: tuple[int, ...]) -> None:
    # Peers return a random draw of z here.
    assert torch.equal(model.embed(SHOWN), model.embed(SHOWN))
    size = math.prod(LATENT[name]) if name in LATENT else sum(sizes)
    assert model.embed(SHOWN).shape == (5, size)


def test_embedding_is_the_mean_of_z(model: Model) -> None:
    inference = model.infer(SHOWN, 4, generator=generator_for(0))
    middle = model.infer_at_mean(SHOWN)
    side_by_side = torch.cat([layer[0].flatten(1) for layer in middle.z], dim=1)
    assert torch.equal(model.embed(SHOWN), side_by_side)
    if model.facts.latent == "continuous":  # no mean of codes is a code
        for z, factor in zip(middle.z, middle.posterior, strict=bool(middle.posterior)):
            found = moments(factor)
            assert found is None or torch.equal(z[0], found[0].reshape(z[0].shape))
    drawn = torch.cat([layer.flatten(2) for layer in inference.z], dim=2)
    every = model.embed(SHOWN).expand_as(drawn)
    assert torch.equal(every, drawn) == (not model.facts.stochastic)


def test_codes_are_the_latents_that_decode_takes(model: Model) -> None:
    z = model.latents(model.embed(SHOWN))
    middle = model.infer_at_mean(SHOWN)
    # Codes of several numbers for each place are flat.
    assert all(torch.equal(a.flatten(2), b.flatten(2)) for a, b in zip(z, middle.z, strict=True))
    assert torch.equal(model.decode(z).mean, middle.likelihood.mean)


def test_noise_of_every_layer_has_a_name_of_its_own(model: Model) -> None:
    # It keys the noise of a served model: layers of one name would get the same noise.
    names = [spec.name for spec in model.noise_spec(1)]
    assert len(set(names)) == len(names)


def test_embedding_of_the_linear_model_is_its_posterior_mean() -> None:
    truth = linear_model()
    shown = truth.draw(20)
    # A dozen float64 terms below ten: 1e-15 each.
    torch.testing.assert_close(
        truth.vae().embed(shown), truth.posterior_mean(shown.x), rtol=0, atol=1e-12
    )


def test_facts_are_true(model: Model, name: str) -> None:
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
    top = inference.z[0].square().sum()
    gradient = None
    if top.requires_grad:
        (gradient,) = torch.autograd.grad(top, encoder, allow_unused=True, retain_graph=True)
    assert model.facts.reparameterized == (gradient is not None)
    assert model.facts.latent_class == has_classes(name)
    exact = name not in ("vae mixture", "vae real_nvp", "vae flow", "vae spikes")
    assert inference.kl_is_analytic[0] == exact
    model.train()
    assert model.facts.batch_statistics == (name == "vae optimal")  # by its likelihood
    assert model.facts.nested_posterior == (len(inference.z) > 1)
    # Neighbours change which kernel multiplies, not more: a few float32 roundings.
    together = model.embed(SHOWN)[:2]
    torch.testing.assert_close(together, model.embed(SHOWN[:2]), rtol=1e-5, atol=1e-6)


def test_batch_statistics_are_declared_where_neighbours_matter() -> None:
    networks = {"encoder": {**MLP, "normalization": "batch"}, "decoder": MLP}
    spec = parse.validate_python({"kind": "vae", "latent_dim": 3, **networks})
    model = spec.build(EVENT, statistics())
    assert model.facts.batch_statistics
    assert (model.embed(SHOWN)[:2] - model.embed(SHOWN[:2])).abs().max() > 0.01


def test_an_optimal_scale_is_one_of_the_batch() -> None:
    model = build("vae optimal").train()
    noise = draw_noise(model.noise_spec(len(SHOWN)), generator_for(0))
    together = model.infer(SHOWN, noise=noise).log_likelihood()[:, :2]
    alone = model.infer(SHOWN[:2], noise=tuple(n[:, :2] for n in noise)).log_likelihood()
    assert (together - alone).abs().max() > 0.01


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


def test_decoder_starts_at_the_data_mean(name: str, sizes: tuple[int, ...]) -> None:
    if name == "vae levels":
        pytest.skip("a rounded normal of two levels has other moments than the data")
    if name.startswith("ladder"):
        pytest.skip("has no decoder that could be linear")
    linear = {**SPECS[name], "decoder": {"kind": "mlp", "hidden": ()}}  # nothing at z = 0
    classes = CLASSES if has_classes(name) else 0
    model = parse.validate_python(linear).build(EVENT, statistics(classes))
    shapes = [LATENT[name]] if name in LATENT else [(size,) for size in sizes]
    start = model.decode(tuple(torch.zeros(1, 1, *shape) for shape in shapes))
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
        assert {kl.dtype for kl in inference.kl} == {torch.float64}
        assert inference.log_weights().dtype == torch.float64


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


def test_sampling_takes_the_noise_it_asks_for(model: Model, name: str) -> None:
    if not model.facts.has_density:
        pytest.skip("nothing to sample from")
    noise = draw_noise(model.sample_noise_spec(4), generator_for(0))
    assert all(part.shape[:2] == (1, 4) for part in noise)
    drawn = model.sample(4, noise=noise)
    assert drawn.batch_shape == (4,)
    assert torch.equal(drawn.mean, model.sample(4, generator=generator_for(0)).mean)
    some = model.sample(2, noise=tuple(part[:, :2] for part in noise))
    torch.testing.assert_close(some.mean, drawn.mean[:2], rtol=1e-5, atol=1e-5)
    # With nothing left of the noise, one draw is like another; a mixture still chooses, between
    # means, where they differ.
    still = model.sample(4, temperature=0.0, noise=noise).mean
    chooses = model.sample_noise_spec(4) != model.noise_spec(4) and name != "vae spikes"
    assert (still[0] == still).all() != chooses


def test_200_steps_improve_it(name: str) -> None:
    model = build(name).train()
    if not model.facts.has_density:
        pytest.skip("has no ELBO")
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    shown, elbos = Observation(binary(64)), []
    for step in range(200):
        inference = model.infer(shown, generator=generator_for(step))
        kl = torch.cat([layer.mean(0).flatten(1) for layer in inference.kl], dim=1).sum(1)
        elbo = (inference.log_likelihood().mean(0) - kl).mean()
        optimizer.zero_grad()
        (-elbo).backward()
        optimizer.step()
        elbos.append(elbo.item())
    assert all(map(math.isfinite, elbos))
    # The images are coins of 0.4, and there are few: what is gained is memory, about 2 nats.
    assert sum(elbos[-20:]) / 20 > sum(elbos[:20]) / 20 + 0.5
    weights = model.eval().infer(shown, 50, generator=generator_for(0)).log_weights()
    assert weights.isfinite().all()
