"""Every answer of a runtime against the model whose answers are known exactly."""

import numpy as np
import pytest
import torch
from linear_model import linear_model
from runtime.linear_runtime import examples, linear_runtime

TRUTH = linear_model()
X = examples(9)
LOG_PROB = TRUTH.log_prob(torch.from_numpy(X)).numpy()
# Sums of a few tens of numbers of size ten, in float64.
EXACT = 1e-11


@pytest.mark.parametrize(("num_samples", "seed"), [(1, 0), (7, 3), (300, 1)])
def test_exact_posterior_gives_exact_log_p(num_samples: int, seed: int) -> None:
    scores = linear_runtime().score(X, num_samples, seed)
    assert np.abs(scores["log_likelihood_nats"] - LOG_PROB).max() < EXACT


def test_the_bound_is_what_it_says() -> None:
    k = 20_000
    scores = linear_runtime(shift=0.3).score(X, k)
    fit, kl = scores["expected_log_likelihood_nats"], scores["kl_nats"]
    assert np.allclose(scores["elbo_nats"], fit - kl, atol=EXACT)
    gap = 0.5 * (0.3**2 / TRUTH.posterior_scale.square().numpy()).sum()  # KL(q || p(z|x))
    # log p(x | z) has a standard deviation below 6 here; five standard errors of its mean.
    assert np.abs(LOG_PROB - scores["elbo_nats"] - gap).max() < 5 * 6 / np.sqrt(k)
    assert (scores["log_likelihood_nats"] > scores["elbo_nats"]).all()
    assert np.abs(scores["log_likelihood_nats"] - LOG_PROB).max() < 0.05


def test_codes_and_reconstructions() -> None:
    runtime, mean = linear_runtime(), TRUTH.posterior_mean(torch.from_numpy(X))
    assert np.allclose(runtime.encode(X), mean.numpy(), atol=EXACT)
    expected = (mean @ TRUTH.columns.T + TRUTH.mean).numpy()
    assert np.allclose(runtime.reconstruct(X), expected, atol=EXACT)
    assert np.allclose(runtime.decode(mean.numpy()), expected, atol=EXACT)
    mse = np.square(expected - X).mean(1)
    assert np.allclose(runtime.score(X, 1)["mse"], mse, atol=EXACT)


def test_samples_have_the_moments_of_the_means() -> None:
    x = linear_runtime().sample(20_000, seed=4)
    cov = (TRUTH.columns @ TRUTH.columns.T).numpy()
    # Columns are up to 2 long: five standard errors of a covariance of size 4.
    assert np.abs(np.cov(x.T) - cov).max() < 5 * 4 * np.sqrt(2 / len(x))
    assert np.abs(x.mean(0) - TRUTH.mean.numpy()).max() < 5 * 2 / np.sqrt(len(x))
    assert np.allclose(linear_runtime().sample(3, temperature=0), TRUTH.mean.numpy(), atol=EXACT)


def test_walks_are_straight() -> None:
    runtime = linear_runtime()
    walk = runtime.interpolate(X[:2], X[2:4], steps=5)
    ends = runtime.reconstruct(X[:4])
    assert np.allclose(walk[:, 0], ends[:2], atol=EXACT)
    assert np.allclose(walk[:, -1], ends[2:], atol=EXACT)
    assert np.allclose(walk[:, 2], (ends[:2] + ends[2:]) / 2, atol=EXACT)
    moved = runtime.traverse(dimensions=[2, 0], reach=1.5, steps=3)
    assert moved.shape == (1, 2, 3, 6)
    columns = TRUTH.columns.T.numpy()
    assert np.allclose(moved[0, 0, 2] - moved[0, 0, 1], 1.5 * columns[2], atol=1e-6)  # codes are
    assert np.allclose(moved[0, 1, 1] - moved[0, 1, 0], 1.5 * columns[0], atol=1e-6)  # float32
    around = runtime.traverse(X[:1])
    code = runtime.encode(X[:1])[0]
    step = (around[0, 1, 6] - around[0, 1, 3]) / 3
    assert np.allclose(around[0, 1, 3] + code[1] * step, runtime.reconstruct(X[:1])[0], atol=1e-9)
