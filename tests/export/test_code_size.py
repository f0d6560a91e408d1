"""Bytes of a code: dimensions, classes and codes of a codebook, counted by hand."""

import pytest
from export.test_roundtrip import before
from export.trained_models import digits

from vaekit.export.code_size import code_size
from vaekit.export.reference import held_out, held_out_reference

# Bits by hand: dimensions of 8, classes and codes in whole bits each.
EXPECTED = {
    "binarize": (3 * 8, "8 bits"),
    "hierarchical": (7 * 8, "8 bits"),
    "autoencoder": (3 * 8, "8 bits"),
    "categorical": (4 * 2, "the number of a class"),  # 3 classes
    "vq": (4 * 3, "the number of a class"),  # 6 codes
    "semi-supervised": (4 + 3 * 8, "8 bits for a dimension, over 4 standard deviations around its"),
}


@pytest.mark.parametrize("kind", EXPECTED)
def test_bits_of_a_code(kind: str) -> None:
    model = digits(kind)
    artifact = before(model)
    held = held_out(artifact, model.dataset, most=20)
    latent = held_out_reference(artifact, model.dataset).latent
    code, (bits, words) = code_size(artifact, artifact, held, latent), EXPECTED[kind]
    assert code.compressed_bytes == -(-bits // 8)
    assert code.quantisation.startswith(words)
    assert code.mse_from_compressed == pytest.approx(code.mse, rel=0.05)
    assert (code.kl_bytes is None) == (kind == "autoencoder")
    # Grey values under coins are no code length; whole numbers under a probability mass are.
    assert (code.bits_back_bytes is None) == (kind in ("binarize", "autoencoder"))
    assert code.raw_bytes == 64
