"""Recipes of about a second."""

from pathlib import Path

import numpy as np

from vaekit.recipes import Recipe, load_recipe

SETTINGS = (
    "training.epochs=4",
    "training.threads=1",
    "training.precision=float32",
    "training.evaluate_every_epochs=2",
    "training.log_every_steps=7",
    "model.encoder.hidden=[16]",
    "model.decoder.hidden=[16]",
    "model.encoder.dropout=0.1",
    "model.latent_dim=2",
    "evaluation.num_samples=20",
    "evaluation.examples=50",
    "evaluation.amortization_examples=0",
)


def small_recipe(*settings: str, without: str = "-") -> Recipe:
    """The recipe digits, made small; without those of the usual settings that begin so."""
    usual = [setting for setting in SETTINGS if not setting.startswith(without)]
    return load_recipe("digits", [*usual, *settings])


VECTORS = """
[data]
kind = "arrays"
path = "{path}"
missing = "nan"
validation = 0.2
test = 0.2
[transform]
kind = "standardize"
[model]
kind = "{model}"
latent_dim = 3
encoder = {{ kind = "mlp", hidden = [8] }}
decoder = {{ kind = "mlp", hidden = [8] }}
likelihood = {{ kind = "gaussian" }}
[objective]
kind = "{objective}"
[training]
epochs = 2
batch_size = 16
threads = 1
log_every_steps = 4
[evaluation]
num_samples = 5
"""


def vector_recipe(folder: Path, model: str = "vae") -> Path:
    """A recipe for vectors with gaps, and its data, written into `folder`."""
    x = np.random.default_rng(0).normal(size=(80, 5)).astype(np.float32)
    x[::7, 2] = np.nan
    np.save(folder / "x.npy", x)
    objective = "elbo" if model == "vae" else "reconstruction"
    file = folder / "vectors.toml"
    file.write_text(VECTORS.format(path=folder / "x.npy", model=model, objective=objective))
    return file
