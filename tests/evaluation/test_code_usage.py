"""Perplexity of codes, over a whole split."""

import pytest
import torch

from vaekit.data import Observation, Statistics
from vaekit.errors import DataError, SpecError
from vaekit.evaluation import code_usage, perplexity
from vaekit.models import VQVAE, CategoricalVAESpec, Model, VAESpec, VQVAESpec
from vaekit.networks import MLPSpec
from vaekit.numerics import generator_for

SHOWN = Observation(torch.rand(30, 6, generator=generator_for(0)).round())
SMALL = MLPSpec(hidden=(8,))
SPECS = {
    "categorical": CategoricalVAESpec(variables=3, classes=4, encoder=SMALL, decoder=SMALL),
    "vq": VQVAESpec(positions=3, encoder=SMALL, decoder=SMALL),
    "vae": VAESpec(encoder=SMALL, decoder=SMALL),
}


def built(name: str) -> Model:
    torch.manual_seed(0)
    blank = Statistics(torch.full((6,), 0.5), torch.ones(6))
    return SPECS[name].build((6,), blank).eval()


@pytest.mark.parametrize("number", [1, 2, 7, 64])
def test_perplexity_of_even_use_is_the_number_of_codes(number: int) -> None:
    usage = torch.zeros(1, 64, dtype=torch.float64)
    usage[0, :number] = 1 / number
    assert perplexity(usage).item() == pytest.approx(number, rel=1e-12)


@pytest.mark.parametrize("name", ["categorical", "vq"])
def test_shares_are_of_all_examples_alike(name: str) -> None:
    model = built(name)
    whole = code_usage(model, [SHOWN])
    uneven = code_usage(model, [SHOWN[:1], SHOWN[1:9], SHOWN[9:]])
    torch.testing.assert_close(whole, uneven)
    torch.testing.assert_close(whole.sum(-1), torch.ones(len(whole), dtype=whole.dtype))


def test_a_codebook_counts_its_codes() -> None:
    model = built("vq")
    (usage,) = code_usage(model, [SHOWN])
    assert isinstance(model, VQVAE)
    codes = model.codebook.nearest(model.encode(SHOWN)[0].reshape(30, 3, -1))
    expected = torch.bincount(codes.flatten(), minlength=64) / 90
    torch.testing.assert_close(usage.float(), expected)


def test_refusals() -> None:
    with pytest.raises(SpecError, match="no discrete codes"):
        code_usage(built("vae"), [SHOWN])
    with pytest.raises(DataError, match="no examples"):
        code_usage(built("vq"), [SHOWN[:0]])
