"""Starting from the weights of another run, or of an artifact."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path

from safetensors.torch import load
from torch import Tensor, nn

from vaekit.artifacts import SUMS, open_artifact
from vaekit.errors import ArtifactError, SpecError
from vaekit.training import checkpoint
from vaekit.training.spec import WarmStartSpec
from vaekit.training.state import below, kept_weights


def warm_start(model: nn.Module, spec: WarmStartSpec) -> None:
    """Puts the weights that another run kept into `model`, before its training begins.

    Taken are parameters and buffers: an encoder brings the statistics that it centres with.
    The model is changed as a whole or, where something does not fit, not at all.

    Args:
        model: A model that is not yet trained, nor given to `Training`.
        spec: Which run, and which parts of the model.

    Raises:
        ArtifactError: There is no such run, or it cannot be read.
        SpecError: A part does not exist, or tensors do not fit.
    """
    theirs, ours = _weights_of(spec.run.expanduser()), model.state_dict()
    for part in spec.parts:
        _check_part(part, ours, "the model")
        _check_part(part, theirs, f"the run {spec.run}")
    theirs, ours = _restricted(theirs, spec.parts), _restricted(ours, spec.parts)
    problems = [*_problems(ours, theirs)]
    if problems:
        raise SpecError(
            "The weights of the other run do not fit this model.",
            where=f"training.warm_start.run = {spec.run}",
            expected="tensors of the same names and shapes",
            found=("\n" + " " * 12).join(problems),
            remedy="choose the same settings for these parts, or name the parts that fit in "
            "training.warm_start.parts",
        )
    model.load_state_dict(theirs, strict=False)


def _weights_of(run: Path) -> dict[str, Tensor]:
    newest = checkpoint.latest(run / "checkpoint")
    if newest is None and any((folder / SUMS).is_file() for folder in (run, run / "artifact")):
        return below("model", load(open_artifact(run).read("model.safetensors")))
    if newest is None:
        raise ArtifactError(
            "There are no weights to start from.",
            where="training.warm_start.run",
            expected="the folder of a run, with a checkpoint, or an artifact",
            found=f"{run}: {'no checkpoint in it' if run.is_dir() else 'no such folder'}",
            remedy="check the path, or train that run first",
        )
    return kept_weights(checkpoint.load(newest).tensors)


def _restricted(tensors: Mapping[str, Tensor], parts: tuple[str, ...]) -> dict[str, Tensor]:
    return {
        name: tensor
        for name, tensor in tensors.items()
        if not parts or any(_is_in(name, part) for part in parts)
    }


def _is_in(name: str, part: str) -> bool:
    return name == part or name.startswith(part + ".")


def _check_part(part: str, tensors: Iterable[str], owner: str) -> None:
    names = list(tensors)
    if any(_is_in(name, part) for name in names):
        return
    depth = part.count(".") + 1
    offered = list(dict.fromkeys(".".join(name.split(".")[:depth]) for name in names))
    nearest = get_close_matches(part, offered, n=1)
    raise SpecError(
        f"There is no part {part!r} in {owner}.",
        where="training.warm_start.parts",
        expected=f"one of {', '.join(offered)}",
        found=part,
        remedy=f"did you mean {nearest[0]!r}?" if nearest else None,
    )


def _problems(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> Iterable[str]:
    for name in dict.fromkeys([*ours, *theirs]):
        if name not in theirs:
            yield f"{name}: not in the other run"
        elif name not in ours:
            yield f"{name}: not in this model"
        elif ours[name].shape != theirs[name].shape:
            here, there = tuple(ours[name].shape), tuple(theirs[name].shape)
            yield f"{name}: {here} here, {there} in the other run"
