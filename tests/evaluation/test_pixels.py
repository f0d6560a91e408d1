"""Errors of reconstructions and sharpness against sums by hand and scipy."""

import math

import numpy as np
import pytest
import torch
from linear_model import linear_model
from scipy.ndimage import laplace
from torch import Tensor

from vaekit.data import BinarizeSpec, GreySpec, Rows, StandardizeSpec, Statistics
from vaekit.evaluation import ReconstructionError, sharpness
from vaekit.evaluation.pixels import sample_sharpness
from vaekit.models import VAE, VAESpec
from vaekit.networks import MLPSpec
from vaekit.numerics import generator_for
from vaekit.schema import Schema

TRUTH = linear_model()
PIXELS = Schema(name="pixels", kind="image", event_shape=(1, 5, 4), dtype="uint8", low=0, high=15)
VECTORS = Schema(name="vectors", kind="vector", event_shape=(6,), dtype="float64", missing="nan")


@pytest.fixture
def images() -> Tensor:
    return torch.randint(0, 16, (30, 1, 5, 4), generator=generator_for(0), dtype=torch.uint8)


@pytest.fixture
def model() -> VAE:
    torch.manual_seed(0)
    shape = PIXELS.event_shape
    spec = VAESpec(latent_dim=2, encoder=MLPSpec(hidden=(8,)), decoder=MLPSpec(hidden=(8,)))
    return spec.build(shape, Statistics(torch.full(shape, 0.5), torch.full(shape, 0.3))).eval()


def test_error_of_the_linear_model_is_the_one_by_hand() -> None:
    x = TRUTH.draw(50).x
    error = ReconstructionError(TRUTH.vae(), StandardizeSpec().unfitted(VECTORS), VECTORS)
    error.update(Rows(x[:20]))
    error.update(Rows(x[20:]))
    answer = TRUTH.posterior_mean(x) @ TRUTH.columns.T + TRUTH.mean
    # The transform hands float32 values on: 1e-7 of values of about one.
    assert error.compute()["mse"] == pytest.approx((answer - x).square().mean().item(), rel=1e-5)
    assert error.compute().keys() == {"mse"}  # no range, no peak; no image, no sharpness


def test_missing_values_do_not_count() -> None:
    x = TRUTH.draw(50).x
    x[:, 2] = torch.nan
    x[7] = torch.nan
    error = ReconstructionError(TRUTH.vae(), StandardizeSpec().unfitted(VECTORS), VECTORS)
    error.update(Rows(x))
    filled = torch.where(x.isnan(), TRUTH.mean, x)  # a gap is shown as its mean
    answer = TRUTH.posterior_mean(filled) @ TRUTH.columns.T + TRUTH.mean
    by_hand = (answer - x).square()
    expected = by_hand[~x.isnan()].mean().item()
    assert error.compute()["mse"] == pytest.approx(expected, rel=1e-5)


def test_nothing_that_was_seen_has_no_error() -> None:
    error = ReconstructionError(TRUTH.vae(), StandardizeSpec().unfitted(VECTORS), VECTORS)
    error.update(Rows(torch.full((4, 6), torch.nan, dtype=torch.float64)))
    assert error.compute() == {}


@pytest.mark.parametrize("transform", [GreySpec(), BinarizeSpec(), BinarizeSpec(protocol="static")])
def test_pixels_are_grey_and_in_the_unit_range(
    transform: GreySpec | BinarizeSpec, model: VAE, images: Tensor
) -> None:
    error = ReconstructionError(model, transform.unfitted(PIXELS), PIXELS)
    error.update(Rows(images))
    grey = images.float() / 15
    answer = _answer(model, grey)
    mse = (answer - grey).square().mean().item()
    found = error.compute()
    assert found["mse"] == pytest.approx(mse, rel=1e-5)
    assert found["psnr_db"] == pytest.approx(-10 * math.log10(mse), rel=1e-5)
    assert found["sharpness_data"] == pytest.approx(sharpness(grey).mean().item(), rel=1e-5)
    assert found["sharpness_reconstructions"] == pytest.approx(
        sharpness(answer).mean().item(), rel=1e-4
    )


def _answer(model: VAE, grey: Tensor) -> Tensor:
    """Through the networks alone."""
    parameters = model.encoder.network((grey - model.encoder.mean) / model.encoder.spread)
    logits = model.decoder(parameters[:, :2])[:, 0]
    return torch.sigmoid(logits).detach()


def test_sharpness_is_the_variance_of_scipys_laplacian() -> None:
    images = torch.rand(3, 2, 9, 7, generator=generator_for(1), dtype=torch.float64)
    expected = [laplace(image.mean(0).numpy())[1:-1, 1:-1].var() for image in images]
    np.testing.assert_allclose(sharpness(images).numpy(), expected, rtol=1e-10)


def test_blur_lowers_sharpness() -> None:
    images = torch.rand(5, 1, 12, 12, generator=generator_for(1))
    blurred = torch.nn.functional.avg_pool2d(images, 3, stride=1)
    assert (sharpness(blurred) < 0.2 * sharpness(images)).all()


def test_samples_have_the_sharpness_of_their_means(model: VAE) -> None:
    transform = GreySpec().unfitted(PIXELS)
    found = sample_sharpness(model, transform, PIXELS, 40, generator_for(3))
    means = model.sample(40, generator=generator_for(3)).mean.detach()
    assert found == pytest.approx(sharpness(means).mean().item(), rel=1e-4)
    linear = sample_sharpness(
        TRUTH.vae(), StandardizeSpec().unfitted(VECTORS), VECTORS, 5, generator_for(3)
    )
    assert linear is None
