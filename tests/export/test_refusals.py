"""Artifacts whose hashes are right, and which cannot be a model all the same."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from artifacts.tampering import change_json, copied, rewrite
from safetensors.torch import load as load_tensors
from safetensors.torch import save
from torch import Tensor

from vaekit.errors import ArtifactError, DataError
from vaekit.export import load


def _tensors(change: Callable[[dict[str, Tensor]], object]) -> Callable[[Path], None]:
    def tamper(folder: Path) -> None:
        tensors = load_tensors((folder / "model.safetensors").read_bytes())
        change(tensors)
        rewrite(folder, "model.safetensors", save(tensors))

    return tamper


def _recipe(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    return lambda folder: change_json(folder, "recipe.json", change)


def _serving(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    return lambda folder: change_json(folder, "serving.json", change)


BIAS = "model.decoder.output_bias"
REFUSALS: dict[str, tuple[Callable[[Path], object], str]] = {
    "kind of model": (
        _recipe(lambda r: r["model"].update(kind="oracle")),
        r"does not have[\s\S]*key model[\s\S]*'vae'[\s\S]*oracle[\s\S]*use vaekit 0",
    ),
    "kind of part": (
        _recipe(lambda r: r["model"]["likelihood"].update(kind="exact")),
        r"does not have[\s\S]*likelihood[\s\S]*exact",
    ),
    "kind of transform": (
        _recipe(lambda r: r["transform"].update(kind="whiten")),
        r"does not have[\s\S]*key transform[\s\S]*whiten",
    ),
    "setting": (
        _recipe(lambda r: r["model"].update(depth=3)),
        r"cannot build[\s\S]*model.vae.depth",
    ),
    "no model": (_recipe(lambda r: r.pop("model")), "cannot build"),
    "does not fit the schema": (
        _recipe(lambda r: r["transform"].update(levels=5)),
        r"does not fit its schema[\s\S]*shared out evenly",
    ),
    "other width": (
        _recipe(lambda r: r["model"].update(latent_dim=5)),
        r"do not fit the model[\s\S]*\(4, 8\), where the model has \(10, 8\)",
    ),
    "weight gone": (_tensors(lambda t: t.pop(BIAS)), rf"do not fit[\s\S]*{BIAS}: missing"),
    "weight more": (
        _tensors(lambda t: t.update(other=torch.zeros(1))),
        r"do not fit[\s\S]*other: not in the model",
    ),
    "whole numbers": (
        _tensors(lambda t: t.update({BIAS: t[BIAS].long()})),
        r"do not fit[\s\S]*torch.int64",
    ),
    "larger than memory": (
        _recipe(lambda r: r["model"]["encoder"].update(hidden=[10**9, 10**9])),
        r"do not fit the model[\s\S]*where the model has",
    ),
    "larger than numbers": (
        _recipe(lambda r: r["model"].update(latent_dim=10**30)),
        "this vaekit cannot build",
    ),
    "schema larger than memory": (
        _serving(lambda s: s["schema"].update(event_shape=[1, 10**6, 10**7])),
        "do not fit the model",
    ),
    "other size of codes": (
        _serving(lambda s: s.update(latent_dim=3)),
        r"describes another model[\s\S]*latent_dim[\s\S]*expected: 2[\s\S]*found: +3",
    ),
    "noise without end": (
        _serving(lambda s: s["noise"][0].update(shape=[10**13])),
        r"describes another model[\s\S]*noise",
    ),
    "other noise of samples": (
        _serving(lambda s: s.update(sample_noise=[{**s["noise"][0], "shape": [3]}])),
        r"describes another model[\s\S]*sample_noise",
    ),
    "no density": (
        _serving(lambda s: s["facts"].update(has_density=False)),
        r"describes another model[\s\S]*has_density",
    ),
    "no facts": (_serving(lambda s: s.update(facts={})), r"another model[\s\S]*has_density"),
    "other scores": (_serving(lambda s: s.update(scores=["mse"])), r"another model[\s\S]*scores"),
    "no safetensors": (
        lambda f: rewrite(f, "model.safetensors", pickle.dumps({"model": 1})),
        "weights are damaged",
    ),
    "cut short": (
        lambda f: rewrite(f, "model.safetensors", (f / "model.safetensors").read_bytes()[:-8]),
        "weights are damaged",
    ),
}


@pytest.mark.parametrize("case", REFUSALS.values(), ids=REFUSALS)
def test_refused(case: tuple[Callable[[Path], object], str], tmp_path: Path) -> None:
    tamper, message = case
    folder = copied(tmp_path / "artifact")
    tamper(folder)
    with pytest.raises(ArtifactError, match=message):
        load(folder)


def test_other_data_under_the_same_name(tmp_path: Path) -> None:
    folder = copied(tmp_path / "artifact")
    change_json(folder, "recipe.json", lambda r: r["data"].update(seed=1))
    with pytest.raises(DataError, match="not what this model was trained on"):
        _ = load(folder).dataset


@pytest.mark.parametrize("data", [None, {"kind": "nowhere"}, {"kind": "images"}])
def test_data_that_no_vaekit_knows(data: object, tmp_path: Path) -> None:
    folder = copied(tmp_path / "artifact")
    change_json(folder, "recipe.json", lambda r: r.update(data=data))
    with pytest.raises(ArtifactError, match="names no data"):
        _ = load(folder).dataset


def test_data_without_a_fingerprint(tmp_path: Path) -> None:
    folder = copied(tmp_path / "artifact")
    change_json(folder, "data.json", lambda d: d.pop("fingerprint"))
    with pytest.raises(DataError, match="not what this model was trained on"):
        _ = load(folder).dataset


def test_weights_in_double_precision_keep_it(tmp_path: Path) -> None:
    folder = copied(tmp_path / "artifact")
    _tensors(lambda t: t.update({BIAS: t[BIAS].double() + 1e-12}))(folder)
    parameters = dict(load(folder).model.named_parameters())
    bias = parameters[BIAS.removeprefix("model.")]
    stored = load_tensors((folder / "model.safetensors").read_bytes())[BIAS]
    assert {part.dtype for part in parameters.values()} == {torch.float64}
    assert torch.equal(bias, stored)
