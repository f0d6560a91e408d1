"""Small models of discrete codes, in float64, and log p(x) by going through every code."""

import itertools
from typing import Any

import torch
from pydantic import TypeAdapter
from torch import Tensor, nn

from vaekit.data import Observation, Statistics
from vaekit.models import VQVAE, CategoricalVAE, ModelSpec
from vaekit.numerics import generator_for

VALUES = 6
NETWORK: dict[str, Any] = {"kind": "mlp", "hidden": (12,)}
SHOWN = Observation(
    torch.bernoulli(torch.full((8, VALUES), 0.4, dtype=torch.float64), generator=generator_for(0))
)


def categorical(**settings: Any) -> CategoricalVAE:
    """Three variables of four classes, with weights that are far from even."""
    model = _built({"kind": "categorical_vae", "variables": 3, "classes": 4, **settings})
    assert isinstance(model, CategoricalVAE)
    return model


def quantized(**settings: Any) -> VQVAE:
    """Three codes out of five, with weights that are far from even."""
    small = {"positions": 3, "codebook": {"size": 5, "dim": 2}}
    prior = {"kind": "autoregressive", "hidden": (8,)}
    model = _built({"kind": "vq_vae", **small, "code_prior": prior, **settings})
    assert isinstance(model, VQVAE)
    return model


def _built(spec: dict[str, Any]) -> nn.Module:
    blank = Statistics(torch.full((VALUES,), 0.4), torch.full((VALUES,), 0.5))
    chosen = TypeAdapter(ModelSpec).validate_python(
        {**spec, "encoder": NETWORK, "decoder": NETWORK}
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = chosen.build((VALUES,), blank).double()
        for weight in model.parameters():
            nn.init.normal_(weight, std=0.4)
    return model.eval()


def every_sequence(classes: int, length: int) -> Tensor:
    return torch.tensor(list(itertools.product(range(classes), repeat=length)))


def exact_of_categorical(model: CategoricalVAE, x: Tensor) -> Tensor:
    """log p(x) of every example: log of the mean over all codes of p(x | z)."""
    codes = torch.eye(4, dtype=x.dtype)[every_sequence(4, 3)]
    fits = model.decode((codes.unsqueeze(1),)).log_prob(x)
    return fits.logsumexp(0) - torch.tensor(float(len(codes)), dtype=x.dtype).log()


def exact_of_quantized(model: VQVAE, x: Tensor) -> Tensor:
    """log p(x) of every example: log of the sum over all codes of p(x | z) p(k)."""
    codes = every_sequence(5, 3)
    fits = model.decode((model.codebook(codes).unsqueeze(1),)).log_prob(x)
    return (fits + model.prior.log_prob(codes).unsqueeze(1)).logsumexp(0)
