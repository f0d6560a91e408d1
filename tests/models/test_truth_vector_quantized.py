"""The VQ-VAE against sums over all of its codes."""

from typing import Any

import pytest
import torch
from models.enumerated import SHOWN, every_sequence, exact_of_quantized, quantized
from pydantic import ValidationError

from vaekit.data import Observation, Statistics
from vaekit.errors import SpecError
from vaekit.evaluation import importance_sampling
from vaekit.models import VQVAE, VQVAESpec
from vaekit.numerics import draw_noise, generator_for
from vaekit.objectives import ELBOSpec


def test_bound_is_below_log_p_by_the_share_of_the_other_codes() -> None:
    model = quantized()
    estimate = importance_sampling(model, [SHOWN], 1, seed=0)
    exact = exact_of_quantized(model, SHOWN.x)
    assert (estimate.elbo <= exact).all()
    # log p(x) - log p(x, z) = -log p(z | x), summed by hand.
    codes, every = model.indices(SHOWN), every_sequence(5, 3)
    fits = model.decode((model.codebook(every).unsqueeze(1),)).log_prob(SHOWN.x)
    posterior = (fits + model.prior.log_prob(every).unsqueeze(1)).log_softmax(0)
    number = (codes * torch.tensor([25, 5, 1])).sum(-1)
    share = posterior.gather(0, number.unsqueeze(0))[0]
    torch.testing.assert_close(exact - estimate.elbo, -share)
    torch.testing.assert_close(estimate.kl, -model.prior.log_prob(codes))


def test_more_samples_are_the_same_one() -> None:
    model = quantized()
    one, many = (importance_sampling(model, [SHOWN], k, seed=0) for k in (1, 40))
    torch.testing.assert_close(one.log_likelihood, one.elbo)
    torch.testing.assert_close(many.log_likelihood, one.elbo)
    torch.testing.assert_close(many.effective_sample_size, torch.full((8,), 40.0).double())


def test_samples_have_the_probabilities_of_the_model() -> None:
    model, n = quantized(), 40_000
    mean = model.sample(n, generator=generator_for(1)).mean
    every = every_sequence(5, 3)
    probability = model.prior.log_prob(every).exp()
    means = model.decode((model.codebook(every).unsqueeze(1),)).mean[:, 0]
    exact = (probability.unsqueeze(1) * means).sum(0)
    assert ((mean.mean(0) - exact).abs() < 5 * mean.std(0) / n**0.5).all()


def test_gradients_pass_straight_through_to_the_encoder() -> None:
    model = quantized().train()
    noise = draw_noise(model.noise_spec(8), generator_for(0), dtype=torch.float64)
    vectors = model.encode(SHOWN)[0].detach().requires_grad_()
    inference = model.infer(SHOWN, 1, noise, encoding=(vectors,))
    (found,) = torch.autograd.grad(inference.log_likelihood().sum(), vectors)
    # The gradient at the codes, as if they had been the encodings.
    at = quantized().embed(SHOWN).requires_grad_()
    fit = model.likelihood(model.decoder(at)).log_prob(SHOWN.x).sum()
    (expected,) = torch.autograd.grad(fit, at)
    torch.testing.assert_close(found, expected)
    assert expected.abs().max() > 0


def test_penalty_is_the_commitment_and_moves_the_encoder_alone() -> None:
    model = quantized(codebook={"size": 5, "dim": 2, "commitment": 0.5}).train()
    vectors, codes = model.encode(SHOWN)[0], quantized().embed(SHOWN)
    penalty = torch.as_tensor(model.infer(SHOWN, generator=generator_for(0)).penalty)
    expected = 0.5 * (vectors - codes).square().sum(1).mean()
    torch.testing.assert_close(penalty, expected)
    reached = {
        name.split(".")[0]
        for name, weight in model.named_parameters()
        if torch.autograd.grad(penalty, weight, retain_graph=True, allow_unused=True)[0] is not None
    }
    assert reached == {"encoder"}


def test_prior_learns_what_codes_there_were_and_teaches_nobody() -> None:
    # The update of the codebook must not change which codes the KL is of.
    model, still = quantized().train(), quantized()
    inference = model.infer(SHOWN, generator=generator_for(0))
    codes = still.indices(SHOWN)
    assert not torch.equal(model.codebook.vectors, still.codebook.vectors)
    torch.testing.assert_close(inference.kl[0].flatten(), -model.prior.log_prob(codes))
    torch.testing.assert_close(inference.log_prior()[0], model.prior.log_prob(codes))
    weights = dict(model.named_parameters())
    slopes = torch.autograd.grad(
        inference.kl[0].sum(), list(weights.values()), allow_unused=True, retain_graph=True
    )
    reached = {n.split(".")[0] for n, s in zip(weights, slopes, strict=True) if s is not None}
    assert reached == {"prior"}


def test_evaluation_leaves_the_codebook_alone() -> None:
    model = quantized()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.infer(SHOWN)
    model.sample(3)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_reported_perplexity_is_of_the_batch() -> None:
    model = quantized()
    found = model.infer(SHOWN).reported["code_perplexity"].item()
    share = torch.bincount(model.indices(SHOWN).flatten(), minlength=5) / 24
    expected = torch.special.entr(share).sum().exp().item()
    assert found == pytest.approx(expected, rel=1e-6)
    terms = ELBOSpec().build()(model, SHOWN, {"beta": 1.0}, generator=generator_for(0))
    assert terms.reported["code_perplexity"].item() == pytest.approx(expected, rel=1e-6)


def test_training_improves_the_bound_and_uses_the_codes() -> None:
    model, objective = quantized(), ELBOSpec().build()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

    def bound() -> float:
        return importance_sampling(model.eval(), [SHOWN], 1, seed=0).elbo.mean().item()

    before = bound()
    model.train()
    for step in range(300):
        terms = objective(model, SHOWN, {"beta": 1.0}, generator=generator_for(step))
        optimizer.zero_grad()
        terms.losses["model"].backward()
        optimizer.step()
    assert bound() > before + 2
    assert bound() <= exact_of_quantized(model, SHOWN.x).mean().item()
    assert model.infer(SHOWN).reported["code_perplexity"] > 2


# -- spatial codes ------------------------------------------------------------------------------

SPATIAL: dict[str, Any] = {
    "kind": "residual_conv", "channels": [4, 4], "blocks": 1, "activation": "silu",
    "code": "spatial",
}  # fmt: skip


def spatial(positions: int = 16, **networks: Any) -> VQVAE:
    chosen = {"encoder": SPATIAL, "decoder": SPATIAL, **networks}
    spec = VQVAESpec.model_validate(
        {"positions": positions, "codebook": {"size": 5, "dim": 3}, **chosen}
    )
    torch.manual_seed(0)
    statistics = Statistics(torch.full((1, 16, 16), 0.5), torch.full((1, 16, 16), 0.5))
    return spec.build((1, 16, 16), statistics).eval()


def test_a_position_of_a_spatial_code_is_a_place_of_the_image() -> None:
    model = spatial()
    x = torch.rand(1, 1, 16, 16, generator=generator_for(0))
    corner = x.clone()
    corner[..., 0, 0] += 3.0
    away = (model.encode(Observation(x))[0] - model.encode(Observation(corner))[0]).abs()
    moved = model._by_position(away).sum(-1).reshape(4, 4) > 0
    assert moved[0, 0]
    assert not moved[3].any()
    assert not moved[:, 3].any()


def test_a_code_is_drawn_where_it_was_seen() -> None:
    model = spatial()
    codes = torch.zeros(2, 16, dtype=torch.int64)
    codes[1, 15] = 1  # the last place: below, on the right
    # The last block starts at zero, so that convolutions of the decoder see three places at most.
    means = model.decode((model.codebook(codes).unsqueeze(0),)).mean[0]
    moved = (means[0] - means[1]).abs().sum(0) > 1e-6
    assert moved[15, 15]
    assert not moved[:4, :4].any()


def test_spatial_codes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(SpecError, match=r"expected: 4 x 4 = 16(.|\n)*set model.positions = 16"):
        spatial(positions=15)
    with pytest.raises(ValidationError, match="both be 'spatial', or neither"):
        spatial(decoder={"kind": "mlp", "hidden": [8]})
