"""A recipe of about a second."""

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


def small_recipe(*settings: str) -> Recipe:
    return load_recipe("digits", [*SETTINGS, *settings])
