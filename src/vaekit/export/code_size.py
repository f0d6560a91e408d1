"""The latent code as a compressor: what it takes to keep an example, beside zlib and PNG.

A continuous dimension is kept in 8 bits, over four standard deviations around the mean that codes
of held-out data have; a discrete one as the number of its class. That loses what the decoder does
not bring back. Bits-back coding loses nothing: with q(z | x) and p(x | z) an exact example takes
-ELBO, of which the KL is for z.

References:
    Hinton and van Camp (1993), Keeping Neural Networks Simple by Minimizing the Description
    Length of the Weights, https://doi.org/10.1145/168304.168306
    Townsend, Bird and Barber (2019), Practical Lossless Compression with Latent Variables using
    Bits Back Coding, https://arxiv.org/abs/1901.04866
"""

import io
import math
import zlib
from typing import Final

import numpy as np
import torch

from vaekit.artifacts import CodeSize, LatentMoments
from vaekit.condition import encoded
from vaekit.evaluation import bits_per_dim
from vaekit.export.artifact import Artifact
from vaekit.export.reference import HeldOut
from vaekit.models import VQVAE
from vaekit.runtime import Runtime
from vaekit.runtime.scores import squared_error

BITS: Final = 8
REACH: Final = 4.0
"""Standard deviations, on both sides of the mean."""
FEW: Final = 64
"""Examples that show whether a transform loses something."""
NATS_PER_BYTE: Final = 8 * math.log(2)


def code_size(
    artifact: Artifact, runtime: Runtime, held: HeldOut, latent: LatentMoments
) -> CodeSize:
    """Measures it.

    Args:
        artifact: The model in torch.
        runtime: What runs it.
        held: Some examples.
        latent: Moments of their codes.
    """
    x, condition = held.x, held.condition
    scores, codes = runtime.score(x, condition=condition), runtime.encode(x, condition)
    bits, is_number = _bits(artifact)
    kept = np.where(is_number, _rounded(codes, latent), codes).astype(np.float32)
    reconstruction = runtime.decode(kept, condition)
    schema, images = runtime.schema, [_png(example) for example in x]
    return CodeSize(
        quantisation=_in_words(is_number),
        compressed_bytes=math.ceil(bits / 8),
        mse=float(scores["mse"].mean()),
        mse_from_compressed=float(squared_error(x, reconstruction, schema).mean()),
        kl_bytes=float(scores["kl_nats"].mean()) / NATS_PER_BYTE if "kl_nats" in scores else None,
        bits_back_bytes=_bits_back(artifact, held, scores),
        raw_bytes=x[0].nbytes,
        zlib_bytes=float(np.mean([len(zlib.compress(example.tobytes(), 9)) for example in x])),
        png_bytes=None if None in images else float(np.mean([len(png or b"") for png in images])),
    )


def _bits(artifact: Artifact) -> tuple[int, np.ndarray]:
    """Bits of a code, and which of its numbers are numbers (and no classes)."""
    model, serving = artifact.model, artifact.serving
    if isinstance(model, VQVAE):
        each = math.ceil(math.log2(model.codebook.spec.size))
        return model.prior.positions * each, np.zeros(serving.latent_dim, bool)
    bits, is_number = 0, []
    for layer in serving.noise:
        size = math.prod(layer.shape)
        is_class = layer.kind == "uniform"
        is_number += size * [not is_class]
        each = math.ceil(math.log2(layer.shape[-1])) if is_class else BITS
        bits += each * (size // layer.shape[-1] if is_class else size)
    if not serving.noise:  # a deterministic code
        return BITS * serving.latent_dim, np.ones(serving.latent_dim, bool)
    return bits, np.array(is_number)


def _rounded(codes: np.ndarray, latent: LatentMoments) -> np.ndarray:
    mean, std = np.asarray(latent.mean), np.asarray(latent.std)
    step = np.maximum(2 * REACH * std / (2**BITS - 1), 1e-12)
    most = (2**BITS - 1) / 2
    return mean + step * np.clip(np.floor((codes - mean) / step) + 0.5, -most, most)


def _in_words(is_number: np.ndarray) -> str:
    number = f"{BITS} bits for a dimension, over {REACH:g} standard deviations around its mean"
    classes = "the number of a class, in whole bits"
    return classes if not is_number.any() else number if is_number.all() else f"{number}; {classes}"


@torch.no_grad()
def _bits_back(artifact: Artifact, held: HeldOut, scores: dict[str, np.ndarray]) -> float | None:
    """None where -ELBO is no code length of the raw values."""
    if "elbo_nats" not in scores:
        return None
    few, serving = held.first(FEW), artifact.serving
    c = encoded(serving.conditions, few.condition, len(few.x), serving.name)
    shown = artifact.observation(few.x, c)
    restored = artifact.transform.inverse(shown.x).cpu().numpy()
    is_whole = bool((shown.x == shown.x.round()).all())  # grey values under coins are not
    if not (is_whole and np.array_equal(restored, few.x)):  # or something was lost before
        return None
    z = artifact.model.infer_at_mean(shown).z
    likelihood = artifact.model.decode(z, shown.c).base_dist
    nats, values = -float(scores["elbo_nats"].mean()), math.prod(held.x.shape[1:])
    bits = bits_per_dim(nats, values, artifact.transform, likelihood)
    return None if bits is None else bits * values / 8


def _png(example: np.ndarray) -> bytes | None:
    """The example as a PNG file; None where it is no picture of bytes."""
    if example.dtype != np.uint8 or example.ndim != 3 or len(example) not in (1, 3):
        return None
    from PIL import Image

    target = io.BytesIO()
    pixels = example[0] if len(example) == 1 else example.transpose(1, 2, 0)
    Image.fromarray(pixels).save(target, "PNG", optimize=True)
    return target.getvalue()
