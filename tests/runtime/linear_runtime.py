"""A runtime whose every answer is known: the linear model behind the doors of an artifact."""

import numpy as np
import torch
from linear_model import LinearModel, linear_model

from vaekit.data import StandardizeSpec
from vaekit.export import Artifact
from vaekit.export.serving import describe
from vaekit.schema import Schema

RECIPE = {
    "name": "linear",
    "description": "",
    "transform": {"kind": "standardize"},
    "model": {"kind": "vae"},
}


def linear_runtime(
    truth: LinearModel | None = None, shift: float = 0.0, missing: str = "forbid"
) -> Artifact:
    """The linear model with q(z | x) = p(z | x) + shift, as a runtime; raw values are float64."""
    truth = truth or linear_model()
    schema = Schema.model_validate(
        {
            "name": "linear",
            "kind": "vector",
            "event_shape": (len(truth.mean),),
            "dtype": "float64",
            "missing": missing,
        }
    )
    transform = StandardizeSpec().unfitted(schema)  # as built, it changes nothing
    model = truth.vae(shift)
    return Artifact(describe(RECIPE, schema, model, transform), model, transform)


def examples(n: int, seed: int = 0) -> np.ndarray:
    """Examples from p(x) that float32, which transforms give, holds exactly."""
    return linear_model().draw(n, seed).x.to(torch.float32).double().numpy()
