"""What the doctor measures on the linear model, whose answers are known."""

import torch
from linear_model import linear_layer, linear_model

from vaekit.diagnosis.subject import scored


def test_the_price_of_another_code_is_the_signal_over_the_noise() -> None:
    """E log p(x|z) - E log p(x|z') = sum_i |w_i|^2 / sigma^2 for z' of another example."""
    truth = linear_model()
    scores = scored(truth.vae().eval(), truth.draw(20_000), seed=0)
    price = (scores.log_likelihood - scores.swapped).mean()
    expected = truth.columns.square().sum() / truth.sigma**2
    # 20,000 examples, each with a deviation of about 12 nats: 0.09 on the mean, four of those.
    torch.testing.assert_close(price, expected, atol=0.4, rtol=0.0)


def test_a_decoder_without_weights_pays_nothing() -> None:
    truth = linear_model()
    model = truth.vae().eval()
    linear_layer(model.decoder).weight.data.zero_()
    scores = scored(model, truth.draw(100), seed=0)
    assert torch.equal(scores.log_likelihood, scores.swapped)


def test_the_bound_is_exact_at_the_exact_posterior() -> None:
    truth = linear_model()
    shown = truth.draw(3000)
    scores = scored(truth.vae().eval(), shown, seed=0)
    # The draws leave an error of about 1 nat for each example, 0.02 on the mean.
    gap = (scores.bound - truth.log_prob(shown.x)).mean()
    assert abs(float(gap)) < 0.1


def test_codes_are_draws_of_the_prior_where_the_model_is_right() -> None:
    truth = linear_model()
    scores = scored(truth.vae().eval(), truth.draw(20_000), seed=0)
    for codes in (scores.codes, scores.prior_codes):
        # Deviations of 1 / sqrt(20,000) = 0.007 of a mean, 0.005 of a deviation.
        torch.testing.assert_close(
            codes.mean(0), torch.zeros(3, dtype=torch.float64), atol=0.04, rtol=0
        )
        torch.testing.assert_close(
            codes.std(0), torch.ones(3, dtype=torch.float64), atol=0.03, rtol=0
        )
