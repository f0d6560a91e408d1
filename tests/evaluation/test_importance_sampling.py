"""Importance sampling against the exact numbers of the linear model (tests/linear_model.py)."""

import math

import pytest
import torch
from linear_model import linear_model
from torch import Tensor
from torch.distributions import Independent

from vaekit.data import Observation, Statistics
from vaekit.errors import DataError, SpecError
from vaekit.evaluation import Estimate, importance_sampling
from vaekit.evaluation.memory import rows_within
from vaekit.models import VAE, AutoencoderSpec
from vaekit.numerics import log_mean_exp

TRUTH = linear_model()
SHOWN = TRUTH.draw(30)
EXACT = TRUTH.log_prob(SHOWN.x)
COLUMNS = ("log_likelihood", "expected_log_likelihood", "kl", "effective_sample_size")


def encoded(model: VAE) -> list[int]:
    """The sizes of the batches that the encoder will have been shown."""
    sizes: list[int] = []
    model.encoder.register_forward_hook(lambda _, shown, __: sizes.append(len(shown[0])))
    return sizes


@pytest.mark.parametrize("k", [1, 3, 600])
def test_exact_posterior_gives_log_p_with_its_sign(k: int) -> None:
    estimate = importance_sampling(TRUTH.vae(), [SHOWN], k, seed=0)
    # Every log-weight is log p(x) to 1e-14, and so is the log of their mean.
    torch.testing.assert_close(estimate.log_likelihood, EXACT, rtol=0, atol=1e-12)
    ones = torch.full_like(EXACT, k)
    torch.testing.assert_close(estimate.effective_sample_size, ones, rtol=1e-12, atol=0)


def test_wrong_posterior_converges_to_log_p_from_below() -> None:
    model = TRUTH.vae(shift=0.2, stretch=1.5)
    errors = [
        (importance_sampling(model, [SHOWN], k, seed=1).log_likelihood - EXACT).mean().item()
        for k in (1, 10, 3000)
    ]
    # The relative variance of a weight is about 5 here, hence a bias of about 5 / 6000 nats and
    # an error of sqrt(5 / 3000 / 30) = 0.008 of the average over 30 examples, times four.
    assert errors[0] < errors[1] < 0
    assert errors[2] == pytest.approx(0.0, abs=0.033)


def test_kl_is_exact_and_fit_is_the_average_of_the_samples() -> None:
    model = TRUTH.vae(shift=0.3)
    estimate = importance_sampling(model, [SHOWN], 4000, seed=0)
    inference = model.infer(SHOWN)
    torch.testing.assert_close(estimate.kl, inference.kl[0][0].sum(-1), rtol=0, atol=1e-12)
    (posterior,) = inference.posterior
    assert isinstance(posterior, Independent)
    base = posterior.base_dist
    # E_q[log p(x | z)] in closed form: the value at the mean, less tr(W'W S) / (2 sigma^2).
    at_mean = model.decode((base.loc.unsqueeze(0),)).log_prob(SHOWN.x)[0]
    lengths = TRUTH.columns.square().sum(0)
    closed = at_mean - (lengths * base.variance).sum(-1) / (2 * TRUTH.sigma**2)
    # A sample's standard deviation is below 4 nats: 4 / sqrt(4000) = 0.06, times five.
    assert (estimate.expected_log_likelihood - closed).abs().max() < 0.32


@pytest.mark.parametrize("k", [7, 500, 1100])
@pytest.mark.parametrize("budget", [4_000, 300_000, 10**7])
@pytest.mark.parametrize("block", [1, 11, 30])
def test_no_cut_into_chunks_changes_the_answer(k: int, budget: int, block: int) -> None:
    model, shown = TRUTH.vae(shift=0.2, stretch=1.5), SHOWN[:12]
    whole = importance_sampling(model, [shown], k, seed=3, budget_bytes=10**9)
    pieces = [shown[start : start + block] for start in range(0, 12, block)]
    cut = importance_sampling(model, pieces, k, seed=3, budget_bytes=budget)
    for column in COLUMNS:
        # float64 throughout: what differs is the order of a sum.
        torch.testing.assert_close(getattr(cut, column), getattr(whole, column), rtol=0, atol=1e-6)


def test_single_precision_keeps_its_answer_too() -> None:
    model = TRUTH.vae(shift=0.2, stretch=1.5).float()
    shown = SHOWN.to("cpu", torch.float32)
    whole, cut = (
        importance_sampling(model, [shown], 600, 0, budget).log_likelihood
        for budget in (10**9, 4_000)
    )
    assert whole.dtype == torch.float64
    # A log-weight of 10 nats is rounded to 1e-6 in float32; the mean of 600 of them less so.
    torch.testing.assert_close(cut, whole, rtol=0, atol=1e-6)


def test_more_samples_begin_with_the_same_ones() -> None:
    model = TRUTH.vae(stretch=1.5)
    few, many = (importance_sampling(model, [SHOWN], k, seed=0) for k in (500, 1000))
    # Shared samples: half of the larger estimate's weight. Log-sum-exp of one half is below.
    assert (many.log_likelihood - few.log_likelihood >= -math.log(2) - 1e-12).all()


def test_answer_depends_on_the_seed_alone() -> None:
    model = TRUTH.vae(stretch=1.5)
    torch.manual_seed(0)
    first = importance_sampling(model, [SHOWN], 20, seed=0).log_likelihood
    torch.manual_seed(1)
    assert torch.equal(importance_sampling(model, [SHOWN], 20, seed=0).log_likelihood, first)
    other = importance_sampling(model, [SHOWN], 20, seed=1).log_likelihood
    assert (other != first).all()


def test_examples_have_noise_of_their_own() -> None:
    twice = Observation(SHOWN.x[:1].expand(2, -1))
    estimate = importance_sampling(TRUTH.vae(stretch=1.5), [twice], 20, seed=0)
    assert estimate.log_likelihood[0] != estimate.log_likelihood[1]


@pytest.mark.parametrize("k", [2, 30, 500, 1001])
def test_encodes_each_example_once(k: int) -> None:
    # pythae encodes each example once per sample, and ignores a k below the batch size.
    model = TRUTH.vae()
    sizes = encoded(model)
    importance_sampling(model, [SHOWN], k, seed=0, budget_bytes=200_000)
    *measuring_memory, rest = sizes[0], sizes[1], sizes[2:]
    assert sorted(measuring_memory) == [1, 2]
    assert sum(rest) == 30


@pytest.mark.parametrize("k", [60, 1001])
def test_what_is_decoded_at_a_time_fits_the_budget(k: int) -> None:
    model = TRUTH.vae()
    rows: list[int] = []
    model.decoder.register_forward_hook(lambda _, z, __: rows.append(z[0].shape[:2].numel()))
    bytes_per_row = 2**20 // rows_within(model, SHOWN, 2**20)
    rows.clear()
    importance_sampling(model, [SHOWN], k, seed=0, budget_bytes=100 * bytes_per_row)
    assert max(rows[2:]) <= 100
    assert sum(rows[2:]) == 30 * k


def test_every_sample_counts() -> None:
    decoded: list[Tensor] = []
    model = TRUTH.vae(stretch=1.5)
    model.decoder.register_forward_hook(lambda _, z, __: decoded.append(z[0]))
    estimate = importance_sampling(model, [SHOWN[:3]], 8, seed=0)
    *_, z = decoded  # the first two measured memory
    assert z.shape == (8, 3, 3)
    inference = model.infer(SHOWN[:3])
    q, p = inference.posterior[0], inference.prior[0]
    likelihood = model.decode((z,)).log_prob(SHOWN.x[:3])
    expected = log_mean_exp(likelihood + p.log_prob(z) - q.log_prob(z))
    torch.testing.assert_close(estimate.log_likelihood, expected, rtol=0, atol=1e-12)


def test_monte_carlo_error_is_the_spread_over_seeds() -> None:
    model = TRUTH.vae(shift=0.1, stretch=1.2)
    estimates = [importance_sampling(model, [SHOWN], 200, seed) for seed in range(80)]
    likelihoods = torch.stack([estimate.log_likelihood for estimate in estimates])
    claimed = torch.stack([estimate.monte_carlo_error for estimate in estimates]).mean(0)
    # A standard deviation over 80 draws has an error of 8 %; the mean of 30 of them 1.5 %. The
    # delta method itself is off by the relative variance of a weight over k, below 1 %.
    assert (likelihoods.std(0) / claimed).mean().item() == pytest.approx(1, abs=0.06)


def test_kl_per_dimension_is_exact() -> None:
    estimate = importance_sampling(TRUTH.vae(), [SHOWN], 700, seed=0)
    mean, variance = TRUTH.posterior_mean(SHOWN.x), TRUTH.posterior_scale**2
    closed = 0.5 * (variance + mean.square() - 1 - variance.log()).mean(0)
    torch.testing.assert_close(estimate.kl_per_dimension[0], closed, rtol=0, atol=1e-12)


@pytest.mark.parametrize("stretch", [0.2, 1.0, 3.0])
def test_effective_sample_size_lies_between_one_and_k(stretch: float) -> None:
    size = importance_sampling(TRUTH.vae(0.5, stretch), [SHOWN], 40, 0).effective_sample_size
    assert (size >= 1 - 1e-12).all()  # a rounding of the logarithms
    assert (size <= 40 + 1e-9).all()
    assert size.max() - size.min() > 1  # and it tells examples apart


def test_progress_adds_up() -> None:
    told: list[int] = []
    importance_sampling(TRUTH.vae(), [SHOWN[:20], SHOWN[20:]], 10, 0, 20_000, told.append)
    assert sum(told) == 30
    assert 1 < max(told) < 20


def test_leaves_no_graph() -> None:
    estimate: Estimate = importance_sampling(TRUTH.vae(), [SHOWN], 2, 0)
    assert not any(getattr(estimate, column).requires_grad for column in COLUMNS)


def test_nothing_to_estimate_is_an_error() -> None:
    for nothing in ([], [SHOWN[:0]]):
        with pytest.raises(DataError, match="no examples"):
            importance_sampling(TRUTH.vae(), nothing, 5, 0)
    with pytest.raises(SpecError, match="needs samples"):
        importance_sampling(TRUTH.vae(), [SHOWN], 0, 0)


def test_model_without_density_is_refused() -> None:
    statistics = Statistics(torch.zeros(6), torch.ones(6))
    model = AutoencoderSpec(latent_dim=2).build((6,), statistics)
    with pytest.raises(SpecError, match="no density") as raised:
        importance_sampling(model, [SHOWN], 5, 0)
    assert "model.kind = 'vae'" in str(raised.value)


def test_kl_per_dimension_is_of_all_examples_alike() -> None:
    shown, model = SHOWN[:7], TRUTH.vae()
    whole = importance_sampling(model, [shown], 3, seed=0).kl_per_dimension[0]
    uneven = importance_sampling(model, [shown[:1], shown[1:]], 3, seed=0).kl_per_dimension[0]
    torch.testing.assert_close(uneven, whole, rtol=0, atol=1e-12)
