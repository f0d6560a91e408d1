"""What variance an encoder settles at, under a decoder that does not move.

A trained cell kept its weights at several ages. The decoder of each age is held fixed, its batch
normalisation folded into its weights, so that it is one function of z. The encoder is then trained
on, twice: from variances widened and from variances narrowed by the same factor. Where both end at
the same variance, that is the equilibrium which belongs to this decoder.

In the linear model it is beta / (beta + w^2 / s); here the same formula with the local curvature in
place of w^2 / s is kept beside what was measured.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, cast, final

import torch
from torch import Tensor, nn

from vaekit.errors import SpecError
from vaekit.models import VAE
from vaekit.numerics import inverse_smooth_bound
from vaekit.recipes import Recipe
from vaekit.runs.folder import write_json
from vaekit.studies.dynamics.cells import Cell, assembled
from vaekit.studies.dynamics.experiment import Experiment, carry_out
from vaekit.studies.dynamics.instruments import Probe
from vaekit.studies.dynamics.results import Content, read_result, rounded
from vaekit.studies.dynamics.watch import kept_weights, reading_steps
from vaekit.training import Listener

SHIFT: Final = 1.5
"""What is added to and taken from every log variance at the start."""
READ: Final = (
    "log_variance",
    "variance",
    "kl",
    "expected_log_likelihood",
    "log_likelihood_at_mean",
    "jacobian",
    "curvature",
)


@final
@dataclass(frozen=True)
class FrozenDecoder:
    """The decoders of one cell, each held fixed at several ages.

    Args:
        cell: What trained them.
        epochs: How long the encoder is trained on.
    """

    cell: Cell
    epochs: int = 10

    @property
    def name(self) -> str:
        """What its file is called."""
        return f"frozen-{self.cell.name}"

    @property
    def settings(self) -> dict[str, Any]:
        """What decides its numbers."""
        return asdict(self)


def carry_out_frozen(
    task: FrozenDecoder, work: Path, listeners: Sequence[Listener] = ()
) -> Content:
    """Trains encoders under the decoders of every age; trains the cell first, if need be."""
    recipe = task.cell.recipe()
    joint = Experiment(recipe, assembled(recipe), work / task.cell.name)
    if not all(joint.age_file(step).is_file() for step in joint.ages):
        carry_out(task.cell, work, listeners)
    found = [
        {"step": step, "shift": shift, **_settled(task, joint, step, shift, work, listeners)}
        for step in joint.ages
        for shift in (SHIFT, -SHIFT)
    ]
    return {
        "name": task.name,
        "settings": task.settings,
        "steps_per_epoch": joint.batches.steps_per_epoch,
        "decoders": found,
    }


def _settled(
    task: FrozenDecoder,
    joint: Experiment,
    step: int,
    shift: float,
    work: Path,
    listeners: Sequence[Listener],
) -> dict[str, Any]:
    """Readings in the course of one encoder's training; read back where it was done before."""
    folder = work / task.name / f"{step:08d}{shift:+g}"
    done = folder / "settled.json"
    if done.is_file():
        return read_result(done)["readings"]
    recipe = frozen_recipe(joint.recipe, task.epochs)
    parts = assembled(recipe)
    model = cast(VAE, parts.model)
    take_over(model, kept_weights(joint.age_file(step)))
    shift_log_variance(model, shift)
    experiment = Experiment(recipe, parts, folder)
    probe = Probe(experiment.held_out, task.cell.beta)
    steps = reading_steps(experiment.total_steps, singly=0, per_decade=5)
    curves = experiment.run(lambda _: probe(model), steps, listeners=listeners)["curves"]
    readings = {"steps": curves["step"], **{key: rounded(curves[key], 4) for key in READ}}
    write_json(done, {"name": task.name, "settings": task.settings, "readings": readings})
    return readings


def frozen_recipe(joint: Recipe, epochs: int) -> Recipe:
    """The recipe of a training under a fixed decoder: no batch normalisation there."""
    tree = joint.model_dump(mode="json")
    tree["model"]["decoder"]["normalization"] = "none"
    tree["training"]["epochs"] = epochs
    return Recipe.model_validate(tree)


@torch.no_grad()
def take_over(model: VAE, state: dict[str, Tensor]) -> None:
    """Puts the weights of another age into `model`, whose decoder is then held fixed.

    Args:
        model: Without batch normalisation in its decoder.
        state: Of the same model with it.
    """
    network = cast(nn.Sequential, model.decoder.network)
    own = [layer for layer in network if isinstance(layer, nn.Linear)]
    for layer, (weight, bias) in zip(own, _folded(state), strict=True):
        layer.weight.copy_(weight)
        if layer.bias is not None and bias is not None:
            layer.bias.copy_(bias)
    rest = {k: v for k, v in state.items() if not k.startswith("decoder.network.")}
    model.load_state_dict(rest, strict=False)
    model.decoder.requires_grad_(False)


def _folded(state: dict[str, Tensor]) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Linear layers of a decoder, with the normalisation that follows each multiplied in.

    a = (W h + b - mean) g / sqrt(var + eps) + shift  is linear in h.
    """
    start = "decoder.network."
    layers: dict[int, dict[str, Tensor]] = {}
    for name, value in state.items():
        if name.startswith(start):
            number, key = name.removeprefix(start).split(".")
            layers.setdefault(int(number), {})[key] = value
    for number, layer in sorted(layers.items()):
        if layer["weight"].ndim != 2:
            continue
        weight, bias = layer["weight"], layer.get("bias")
        following = layers.get(number + 1)
        if following is not None and "running_var" in following and bias is not None:
            eps = nn.BatchNorm1d(1).eps
            gain = following["weight"] / (following["running_var"] + eps).sqrt()
            bias = (bias - following["running_mean"]) * gain + following["bias"]
            weight = weight * gain[:, None]
        yield weight, bias


@torch.no_grad()
def shift_log_variance(model: VAE, shift: float) -> None:
    """Adds to the log variance of every example, through the bias of the encoder's last layer.

    Exact as far as the posterior's bound is the identity, which at forty it nearly is.
    """
    network = cast(nn.Sequential, model.encoder.network)
    last = network[-1]
    if not isinstance(last, nn.Linear):
        raise SpecError("The encoder does not end in a linear layer.", found=type(last).__name__)
    last.bias[model.latent_dim :] += inverse_smooth_bound(
        torch.full((model.latent_dim,), shift / 2), 40.0
    )
