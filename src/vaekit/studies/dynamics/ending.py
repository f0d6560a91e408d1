"""What a trained VAE of the study is measured at, on the whole test split.

The codes of all test examples together are the aggregate posterior q(z), and

    KL(q(z) || p(z)) = mean KL(q(z | x) || p(z)) - I(n; z),

where the mutual information of code and example cannot exceed ln N. Samples are means of p(x | z)
for z from the prior; their sharpness means something beside that of the data.

Reference:
    Hoffman and Johnson (2016), ELBO surgery (NIPS workshop)
"""

import math
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from vaekit.data import present
from vaekit.evaluation import (
    mutual_information,
    posterior_moments,
    reconstruction,
    sample_means,
    sharpness,
)
from vaekit.models import VAE
from vaekit.numerics import generator_for
from vaekit.runs import Assembly
from vaekit.studies.dynamics.instruments import Codes, Probe, codes_of, reconstruction_half
from vaekit.studies.dynamics.results import packed, rounded

SHOWN: Final = 10
MAPPED: Final = 500
SAMPLES: Final = 1000
FACTORS: Final = tuple(0.5 * i for i in range(-8, 9))
"""What is added to log variances to see how the gradient depends on them."""


def ending(parts: Assembly, model: VAE, probe: Probe) -> dict[str, Any]:
    """Measures, pictures and codes of a trained model, ready for JSON."""
    with torch.no_grad():
        measured = {**_aggregate(parts, model), **_sharpness(parts, model)}
    return {
        "end": rounded(measured),
        "widened": rounded(widened(model, probe)),
        "samples": packed(_samples(parts, model, SHOWN).numpy()[:, 0]),
        **(_map(parts, model) if model.latent_dim == 2 else {}),
    }


def widened(model: VAE, probe: Probe) -> dict[str, list[float]]:
    """The reconstruction half at variances changed by a factor, everything else held fixed.

    Args:
        model: A model in evaluation mode.
        probe: Its examples are used, and its noise.
    """
    model.eval()
    with torch.no_grad():
        codes = codes_of(model, probe.few)
    noise, halves = probe.noise(codes), []
    for added in FACTORS:
        changed = Codes(codes.loc, codes.log_variance + added)
        halves.append(reconstruction_half(model, probe.few, changed, noise).mean(0).sum().item())
    return {"added": list(FACTORS), "reconstruction_half": halves}


def _aggregate(parts: Assembly, model: VAE) -> dict[str, float]:
    """Moments of q(z), of the worst dimension, and where the KL goes."""
    shown = list(present(parts.dataset.split("test"), parts.transform, 0, "cpu"))
    (moments,) = posterior_moments(model, shown)
    mean, variance = moments.mean, moments.stddev.square()
    kl = 0.5 * (mean.square() + variance - variance.log() - 1).sum(1).mean().item()
    information = mutual_information(moments, seed=0)
    pooled = mean.var(0, correction=0) + variance.mean(0)
    fit, count = 0.0, sum(map(len, shown))
    for block in shown:
        source = generator_for(0, "ending")
        fit += model.infer(block, generator=source).log_likelihood().sum().item() / count
    return {
        "examples": count,
        "expected_log_likelihood": fit,
        "kl": kl,
        "mutual_information": information,
        "largest_mutual_information": math.log(count),
        "aggregate_kl": kl - information,
        "largest_mean": mean.mean(0).abs().max().item(),
        "farthest_scale": _farthest(pooled.sqrt()),
        "mean_log_variance": variance.log().mean().item(),
    }


def _farthest(scales: Tensor) -> float:
    """The one that is most unlike one, by its logarithm."""
    return scales[scales.log().abs().argmax()].item()


def _sharpness(parts: Assembly, model: VAE) -> dict[str, float]:
    split = parts.dataset.split("test")
    rows = split.rows(0, min(SAMPLES, len(split)))
    shown = parts.transform.expected(rows)
    return {
        "sharpness_data": sharpness(parts.transform.expectation(rows.x)).mean().item(),
        "sharpness_reconstructions": sharpness(reconstruction(model, shown)).mean().item(),
        "sharpness_samples": sharpness(_samples(parts, model, SAMPLES)).mean().item(),
    }


def _samples(parts: Assembly, model: VAE, n: int) -> Tensor:
    raw = torch.cat([*sample_means(model, parts.transform, n, generator_for(0, "samples"))])
    return parts.transform.expectation(raw)


def _map(parts: Assembly, model: VAE) -> dict[str, Any]:
    """Posterior means of some test examples, for the latent map."""
    split = parts.dataset.split("test")
    with torch.no_grad():
        codes = codes_of(model, next(present(split, parts.transform, 0, "cpu", most=MAPPED)))
    labels = split.labels()
    return {
        "codes": np.round(codes.loc.double().numpy(), 2).tolist(),
        "labels": "" if labels is None else "".join(map(str, labels[: len(codes.loc)].tolist())),
    }
