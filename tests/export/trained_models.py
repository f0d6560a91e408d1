"""Small models of every kind of transform, as a run would leave them, but untrained."""

from pathlib import Path

import numpy as np
import torch

from vaekit.data import statistics
from vaekit.export import Trained
from vaekit.recipes import Recipe, load_recipe

TABLE = """
data = {{ kind = "arrays", path = "{folder}/x.npy", missing = "nan", columns = ["a", "b", "c"], \
validation = 0.2, test = 0.2 }}
transform = {{ kind = "standardize" }}

[model]
latent_dim = 2
encoder = {{ hidden = [8] }}
decoder = {{ hidden = [8] }}
likelihood = {{ kind = "gaussian", scale = "learned" }}
"""
SMALL = ("model.encoder.hidden=[8]", "model.decoder.hidden=[8]", "model.latent_dim=3")
DIGITS: dict[str, tuple[str, ...]] = {
    "integers": (),
    "grey": ("transform.kind=grey", "model.likelihood.kind=bernoulli"),
    "binarize": ("transform.kind=binarize", "model.likelihood.kind=bernoulli"),
    "static": (
        "transform.kind=binarize",
        "transform.protocol=static",
        "model.likelihood.kind=bernoulli",
    ),
    "dequantize": ("transform.kind=dequantize", "model.likelihood.kind=gaussian"),
    "conv": ("model.encoder.kind=conv", "model.decoder.kind=conv"),
    "mixture": ("model.prior.kind=mixture", "model.prior.components=5"),
    "real_nvp": ("model.prior.kind=real_nvp",),
    "full_covariance": ("model.posterior.kind=full_covariance",),
    "flow": ("model.posterior.kind=inverse_autoregressive_flow",),
    "hierarchical": ("model.kind=hierarchical_vae", "model.latent_dims=[4, 3]"),
    "ladder": ("model.kind=ladder_vae", "model.network.latent_dims=[4, 3]"),
    "conv ladder": (
        "model.kind=ladder_vae",
        'model.network={kind="conv", channels=[4, 8], layers=[1, 1], attention=true}',
    ),
    "autoencoder": ("model.kind=autoencoder", "objective.kind=reconstruction"),
    "categorical": ("model.kind=categorical_vae", "model.variables=4", "model.classes=3"),
    "semi-supervised": (
        "model.kind=semi_supervised_vae",
        "model.features=8",
        "model.classifier={hidden=[8]}",
        "transform.condition=['label']",
        "objective={kind='m2', labeled=20}",
    ),
    "vq": (
        "model.kind=vq_vae",
        "model.positions=4",
        "model.codebook={size=6, dim=2}",
        "model.code_prior.hidden=[8]",
    ),
}


def trained(recipe: Recipe) -> Trained:
    """What a run of `recipe` would have ended with, but for the training."""
    dataset = recipe.data.load()
    transform = recipe.transform.build(dataset)
    prepared = transform.prepare(dataset.split("train"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = recipe.model.build(dataset.schema.event_shape, statistics(prepared, transform))
    results = {"elbo_nats": -12.5, "mse": 0.125, "split": "test", "examples": 250}
    tree = recipe.model_dump(mode="json")
    return Trained(tree, model, transform, dataset, results, {"vaekit": "0.0.0", "git": None})


def digits(kind: str = "integers") -> Trained:
    """A model of the digits, by a name in `DIGITS`."""
    settings = DIGITS[kind]
    own: dict[str, tuple[str, ...]] = {
        "conv": SMALL[-1:],
        "hierarchical": SMALL[:-1],
        "categorical": SMALL[:-1],
        "vq": SMALL[:-1],
    }
    small = () if "ladder" in kind else own.get(kind, SMALL)
    return trained(load_recipe("digits", [*settings, *small]))


def table(folder: Path) -> Trained:
    """A model of a table of three columns, with gaps."""
    x = np.random.default_rng(0).normal([0, 5, -20], [1, 2, 10], (60, 3)).astype(np.float32)
    x[::7, 1] = np.nan
    np.save(folder / "x.npy", x)
    (folder / "table.toml").write_text(TABLE.format(folder=folder))
    return trained(load_recipe(folder / "table.toml"))
