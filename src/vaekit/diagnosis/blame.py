"""Settings of a recipe that lead to trouble, and what to set instead.

Each function looks for one cause in a recipe. Where it is there, it says so and names the change;
where it is not, it answers None, and a check asks for the next likely cause.
"""

import json
from typing import Any, NamedTuple

from vaekit.diagnosis.finding import Remedy
from vaekit.likelihoods import GaussianSpec
from vaekit.objectives import InfoVAESpec
from vaekit.recipes import Recipe

USUAL_RATE = 1e-3
"""The learning rate of Adam that most published VAEs are trained with."""
HIGHEST_RATE = 4e-3
"""A rate above this is blamed where training ran away; the recipes of vaekit stay below."""


class Blame(NamedTuple):
    """A likely cause, and its remedy."""

    cause: str
    remedy: Remedy


def kl_weight(recipe: Recipe) -> float | None:
    """What the KL term is weighted by once schedules have ended; None where it is not weighted."""
    aim = recipe.objective
    if isinstance(aim, InfoVAESpec):
        return aim.kl_weight
    beta = getattr(aim, "beta", None)
    return None if beta is None else float(getattr(beta, "final", beta))


def heavy_kl(recipe: Recipe) -> Blame | None:
    """A KL term that counts for more than in the bound."""
    weight = kl_weight(recipe)
    if weight is None or weight <= 1.0:
        return None
    path = _weight_path(recipe)
    return Blame(
        f"{path} is {weight:g}: every nat that a code carries has to save more than "
        f"{weight:g} nats of reconstruction, and most cannot.",
        Remedy((f"{path}=1",), "Give the KL term the weight that it has in the bound."),
    )


def light_kl(recipe: Recipe) -> Blame | None:
    """A KL term that counts for less than in the bound."""
    weight = kl_weight(recipe)
    if weight is None or weight >= 1.0:
        return None
    path = _weight_path(recipe)
    return Blame(
        f"{path} is {weight:g}: nothing holds the codes of all examples near the prior, "
        "from which samples are decoded.",
        Remedy((f"{path}=1",), "Give the KL term the weight that it has in the bound."),
    )


def wide_likelihood(recipe: Recipe) -> Blame | None:
    """A Gaussian likelihood whose scale was fixed by hand."""
    likelihood = recipe.model.likelihood
    if not isinstance(likelihood, GaussianSpec) or isinstance(likelihood.scale, str):
        return None
    return Blame(
        f"model.likelihood.scale is fixed at {likelihood.scale:g}: differences smaller than that "
        "count as noise, which no code is spent on.",
        Remedy(
            ('model.likelihood.scale="learned"',), "Let maximum likelihood find the noise scale."
        ),
    )


def no_warm_up(recipe: Recipe) -> Blame | None:
    """A KL term of full weight from the first step on, with nothing to keep codes alive."""
    beta = getattr(recipe.objective, "beta", None)
    if getattr(beta, "kind", None) != "constant" or getattr(recipe.objective, "free_bits", 0):
        return None
    epochs = max(1, recipe.training.epochs // 4)
    schedule = f'{{ kind = "linear", warmup_epochs = {epochs} }}'
    return Blame(
        "The KL term has its full weight from the first step, when the decoder cannot use codes "
        "yet: the posterior falls onto the prior and stays there.",
        Remedy((f"objective.beta={schedule}",), "Bring the KL term in slowly."),
    )


def no_free_bits(recipe: Recipe, floor: float, per: str) -> Blame | None:
    """Codes that nothing keeps alive, with an objective that could."""
    if getattr(recipe.objective, "free_bits", None) != 0.0:
        return None
    return Blame(
        f"Nothing keeps a {per} of the code from falling onto the prior while the decoder "
        "does not use it yet.",
        Remedy(
            (f"objective.free_bits={floor:g}", f'objective.free_bits_per="{per}"'),
            f"Leave the first {floor:g} nats of every {per} free of charge.",
        ),
    )


def high_rate(recipe: Recipe) -> Blame | None:
    """A learning rate far above what is usual for Adam."""
    rate = recipe.training.optimizer.learning_rate
    if recipe.training.optimizer.kind == "sgd" or rate <= HIGHEST_RATE:
        return None
    return Blame(
        f"training.optimizer.learning_rate is {rate:g}: single updates throw the weights far "
        "from anything that they had learned.",
        Remedy(
            (f"training.optimizer.learning_rate={USUAL_RATE:g}",), "Take steps of the usual size."
        ),
    )


def few_dimensions(recipe: Recipe, fewest: int = 8) -> Blame | None:
    """A code with too little room."""
    size = getattr(recipe.model, "latent_dim", None)
    if size is None or size >= fewest:
        return None
    noun = "dimension" if size == 1 else "dimensions"
    return Blame(
        f"model.latent_dim is {size}: all samples lie on a surface of {size} {noun}, which "
        "most of the data is not near.",
        Remedy((f"model.latent_dim={fewest}",), "Give the code more dimensions."),
    )


def rarely_stopped(recipe: Recipe, has_validation: bool) -> Blame | None:
    """Training that goes on while held-out examples get worse, or an encoder without dropout."""
    settings: list[str] = []
    if has_validation and recipe.training.early_stopping is None:
        settings.append("training.early_stopping={ patience = 10 }")
    dropout = getattr(getattr(recipe.model, "encoder", None), "dropout", None)
    if dropout == 0.0:
        settings.append("model.encoder.dropout=0.3")
    if not settings:
        return None
    return Blame(
        "The networks have room to remember single training examples, and nothing stops "
        "training where held-out examples get worse.",
        Remedy(
            tuple(settings),
            "Keep the weights that are best on validation, and take single pixels away from "
            "the encoder while it learns.",
        ),
    )


def more_room(recipe: Recipe) -> Blame:
    """A code that is small for the data, where nothing else is left to change."""
    size = getattr(recipe.model, "latent_dim", None)
    why = "Give the code more room." if size else "Train for longer."
    setting = f"model.latent_dim={2 * size}" if size else longer(recipe).remedy.settings[0]
    return Blame(
        "The code has no room for details of this data, and p(x | z) averages over them.",
        Remedy((setting,), why),
    )


def longer(recipe: Recipe) -> Blame:
    """Training that may have ended early, where nothing else is left to change."""
    return Blame(
        "Nothing in the recipe is known to lead to it; training may have ended early.",
        Remedy((f"training.epochs={2 * recipe.training.epochs}",), "Train for longer."),
    )


def smaller_networks(recipe: Recipe) -> Blame:
    """Networks that are large for the data, where nothing else is left to change."""
    settings = []
    for part in ("encoder", "decoder"):
        hidden: Any = getattr(getattr(recipe.model, part, None), "hidden", None)
        if isinstance(hidden, tuple) and hidden:
            halved = [max(8, width // 2) for width in hidden]
            settings.append(f"model.{part}.hidden={json.dumps(halved)}")
    return Blame(
        "The networks are large for the number of training examples.",
        Remedy(tuple(settings), "Use smaller networks, or collect more data; augmentation counts."),
    )


def _weight_path(recipe: Recipe) -> str:
    """The setting that decides the weight; of a schedule its end, so that the rest stays."""
    if isinstance(recipe.objective, InfoVAESpec):
        return "objective.kl_weight"
    return (
        f"objective.beta{'.end' if hasattr(getattr(recipe.objective, 'beta', None), 'end') else ''}"
    )
