"""Loading an artifact: verified, rebuilt from its recipe, and filled with its tensors.

Nothing is unpickled, and no code comes out of the folder: the recipe names parts that this
vaekit has.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from torch import Tensor, nn

from vaekit.artifacts import ArtifactFolder, Document, open_artifact
from vaekit.data import Statistics, Transform, TransformSpec
from vaekit.errors import ArtifactError, SpecError
from vaekit.export.artifact import Artifact
from vaekit.export.serving import describe
from vaekit.models import Model, ModelSpec


def load(
    path: Path | str, public_key: Path | str | None = None, device: torch.device | str = "cpu"
) -> Artifact:
    """A trained model, ready to encode, decode, reconstruct, score and sample.

    Args:
        path: The artifact, or the run that it is of.
        public_key: PEM file of who must have signed it; else what VAEKIT_PUBLIC_KEY names.
        device: Where the model is to run.

    Raises:
        ArtifactError: It is damaged, tampered with, unsigned, of another format, or made of
            parts that this vaekit does not have.
    """
    folder = open_artifact(path, public_key)
    tensors = _tensors(folder)
    with torch.device("meta"):  # takes no memory, whatever size the recipe asks for
        _check_fit(_built(folder), tensors, folder)
    model, transform = _built(folder)
    _fill(nn.ModuleDict({"model": model, "transform": transform}), tensors)
    _check_described(folder, model, transform)
    return Artifact(folder.serving, model.to(device), transform.to(device), folder)


def _built(folder: ArtifactFolder) -> tuple[Model, Transform]:
    recipe, schema = folder.document("recipe.json"), folder.serving.form
    model_spec = _spec(ModelSpec, recipe, "model", folder)
    transform_spec = _spec(TransformSpec, recipe, "transform", folder)
    try:
        transform = transform_spec.unfitted(schema)
        blank = torch.zeros(schema.event_shape), torch.ones(schema.event_shape)
        with torch.random.fork_rng(devices=[]):  # first weights are drawn, and then replaced
            model = model_spec.build(
                schema.event_shape, Statistics(*blank, transform.num_conditions)
            )
        return model, transform
    except SpecError as error:
        raise ArtifactError(
            "The recipe of the artifact does not fit its schema.",
            where=folder.path / "recipe.json",
            found=error.problem,
            remedy="export the model again",
        ) from error
    except (RuntimeError, TypeError) as error:  # a size that overflows, say
        raise ArtifactError(
            "The artifact has a recipe that this vaekit cannot build.",
            where=folder.path / "recipe.json",
            found=str(error).partition("\n")[0][:90],
            remedy="export the model again",
        ) from error


def _spec(choices: Any, recipe: Document, key: str, folder: ArtifactFolder) -> Any:
    try:
        return TypeAdapter(choices).validate_python(recipe.get(key))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join([key, *map(str, first["loc"])])
        is_kind = first["type"] == "union_tag_invalid"
        raise ArtifactError(
            "The artifact is made of a part that this vaekit does not have."
            if is_kind
            else "The artifact has a recipe that this vaekit cannot build.",
            where=f"{folder.path / 'recipe.json'}, key {where}",
            expected=first.get("ctx", {}).get("expected_tags", first["msg"]),
            found=first.get("ctx", {}).get("tag", repr(first["input"])[:90]),
            remedy=f"use vaekit {folder.serving.vaekit}, which wrote it",
        ) from error


def _tensors(folder: ArtifactFolder) -> dict[str, Tensor]:
    try:
        return load_tensors(folder.read("model.safetensors"))
    except SafetensorError as error:
        raise ArtifactError(
            "The weights are damaged, though their hash is right: they were written so.",
            where=folder.path / "model.safetensors",
            expected="tensors in the format safetensors",
            found=error,
            remedy="export the model again",
        ) from error


def _check_fit(
    parts: tuple[Model, Transform], tensors: dict[str, Tensor], folder: ArtifactFolder
) -> None:
    wanted = nn.ModuleDict(dict(zip(("model", "transform"), parts, strict=True))).state_dict()
    problems = [*_problems(wanted, tensors)]
    if problems:
        raise ArtifactError(
            "The weights of the artifact do not fit the model that its recipe describes.",
            where=folder.path / "model.safetensors",
            expected="tensors of the same names and shapes",
            found=("\n" + " " * 12).join(problems[:8]),
            remedy=f"use vaekit {folder.serving.vaekit}, which wrote it, or export the model again",
        )


def _fill(parts: nn.ModuleDict, tensors: dict[str, Tensor]) -> None:
    parts["model"].to(_widest({t.dtype for n, t in tensors.items() if n.startswith("model.")}))
    parts.load_state_dict(tensors, strict=True)


def _check_described(folder: ArtifactFolder, model: Model, transform: Transform) -> None:
    """What the runtime believes of the model has to be true of it."""
    recipe = {"name": "", "description": "", **folder.document("recipe.json")}
    theirs, ours = folder.serving, describe(recipe, folder.serving.form, model, transform)
    told = {
        "latent_dim": (theirs.latent_dim, ours.latent_dim),
        "noise": (theirs.noise, ours.noise),
        "sample_noise": (theirs.noise_of_samples, ours.noise_of_samples),
        "scores": (theirs.scores, ours.scores),
        "conditions": (theirs.conditions, ours.conditions),
        "facts.has_density": (theirs.facts.get("has_density"), ours.has_density),
        "facts.latent": (theirs.is_discrete, ours.is_discrete),
    }
    for key, (found, expected) in told.items():
        if found != expected:
            raise ArtifactError(
                "The artifact describes another model than the one it holds.",
                where=f"{folder.path / 'serving.json'}, key {key}",
                expected=expected,
                found=found,
                remedy="export the model again",
            )


def _widest(kinds: set[torch.dtype]) -> torch.dtype:
    """A model runs in float32, or in float64 where its weights are in it."""
    return torch.float64 if torch.float64 in kinds else torch.float32


def _problems(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> Iterator[str]:
    for name in dict.fromkeys([*ours, *theirs]):
        if name not in theirs:
            yield f"{name}: missing"
        elif name not in ours:
            yield f"{name}: not in the model"
        elif ours[name].shape != theirs[name].shape:
            here, there = tuple(ours[name].shape), tuple(theirs[name].shape)
            yield f"{name}: {there}, where the model has {here}"
        elif ours[name].is_floating_point() != theirs[name].is_floating_point():
            yield f"{name}: {theirs[name].dtype}, where the model has {ours[name].dtype}"
