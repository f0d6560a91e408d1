"""What a page asks of a model: questions at the desk, and their answers as pictures."""

import asyncio
import math
from collections.abc import Mapping
from typing import Any, Final, final

import numpy as np

from vaekit.errors import SpecError
from vaekit.serving.desk import Desk
from vaekit.serving.exchange import Exchange
from vaekit.serving.look import pixels
from vaekit.serving.look.shown import FIRST, Shown, level, unusual
from vaekit.serving.models import Served
from vaekit.serving.pictures import png

MOST_SAMPLES: Final = 100
COLUMNS: Final = 10
DIGITS: Final = 5
NAMES: Final = {
    "elbo_nats": "ELBO",
    "expected_log_likelihood_nats": "reconstruction term",
    "kl_nats": "KL",
    "log_likelihood_nats": "log-likelihood",
    "mse": "mean squared error",
}


@final
class Answers:
    """Asks the desk.

    Args:
        desk: Answers what is asked of models.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def samples(
        self, exchange: Exchange, served: Served, asked: Mapping[str, str]
    ) -> dict[str, Any]:
        """A sheet of draws from the prior."""
        n = _whole(asked.get("n", "50"), "n", 1, MOST_SAMPLES)
        seed = _whole(asked.get("seed", "0"), "seed", 0, 2**53)
        parameters = {
            "n": n,
            "seed": seed,
            "temperature": _number(asked.get("temperature", "1"), "temperature"),
        }
        condition = conditions(served, asked)
        answer = await self._desk.answer(exchange, served, "sample", None, condition, parameters)
        schema = served.serving.form
        sheet = await asyncio.to_thread(pixels.sheet, answer["x"], schema, COLUMNS)
        height, width = sheet.shape[:2]
        return {
            "image": pixels.inline(sheet),
            "width": width,
            "height": height,
            "n": n,
            "seed": seed,
            "next_seed": seed + 1,
        }

    async def map(self, served: Served, shown: Shown) -> dict[str, Any]:
        """Where codes lie, and a few examples to walk between."""
        return await asyncio.to_thread(_map, served, shown)

    async def decoded(self, exchange: Exchange, served: Served, body: Mapping[str, Any]) -> bytes:
        """The picture of a code."""
        condition = _told(body)
        answer = await self._desk.answer(exchange, served, "decode", [body.get("z")], condition)
        return png(pixels.picture(answer["x"][0], served.serving.form))

    async def judged(
        self, exchange: Exchange, served: Served, shown: Shown, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """What the model makes of an example, and how that compares with held-out ones."""
        x, condition = [body.get("x")], _told(body)
        scores = await self._desk.answer(exchange, served, "score", x, condition)
        made = await self._desk.answer(exchange, served, "reconstruct", x, condition)
        found = {name: float(scores[name][0]) for name in served.serving.scores}
        return {
            "reconstruction": pixels.inline(pixels.picture(made["x"][0], served.serving.form)),
            "scores": [_score(shown, name, value) for name, value in found.items()],
            "unusual": [NAMES.get(name, name) for name in unusual(shown.reference, found)],
            "split": shown.reference.split,
            "examples": shown.reference.examples,
        }


def conditions(served: Served, asked: Mapping[str, str]) -> dict[str, float]:
    """What a form says of conditions; a field that is left empty says nothing."""
    known = [condition.name for condition in served.serving.conditions]
    return {name: _number(asked[name], name) for name in known if asked.get(name)}


def _told(body: Mapping[str, Any]) -> dict[str, Any]:
    told = body.get("condition") or {}
    if not isinstance(told, dict):
        raise SpecError("Conditions are told by name.", where="condition", found=told)
    return told


def _map(served: Served, shown: Shown) -> dict[str, Any]:
    plane, moments = shown.plane, shown.reference.latent
    described, x = served.serving, shown.x
    first = [] if x is None else list(x[:FIRST])
    return {
        "latent_dim": described.latent_dim,
        "origin": _rounded(plane.origin),
        "axes": _rounded(plane.axes),
        "points": _rounded(plane.points) if x is not None else [],
        "share": round(plane.share, 3),
        "labels": shown.labels,
        "start": _rounded(shown.codes[0]),
        "mean": _rounded(np.asarray(moments.mean)),
        "std": _rounded(np.asarray(moments.std)),
        "examples": [
            {
                "image": pixels.inline(pixels.picture(example, described.form)),
                "code": _rounded(code),
                "label": shown.labels[number] if shown.labels else None,
            }
            for number, (example, code) in enumerate(zip(first, shown.codes, strict=False))
        ],
    }


def _score(shown: Shown, name: str, value: float) -> dict[str, Any]:
    found = level(shown.reference, name, value)
    return {
        "name": NAMES.get(name, name),
        "value": value if math.isfinite(value) else None,
        "unit": "nats" if name.endswith("_nats") else "",
        "level": None if found is None else round(found, 3),
    }


def _rounded(values: np.ndarray) -> list[Any]:
    return np.round(np.asarray(values, np.float64), DIGITS).tolist()


def _whole(text: str, name: str, least: int, most: int) -> int:
    if text.isdecimal() and len(text) < 20 and least <= int(text) <= most:
        return int(text)
    raise SpecError(
        f"{name} cannot be used.",
        where=name,
        expected=f"a whole number from {least} to {most:,}",
        found=text[:40],
    )


def _number(text: str, name: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise SpecError(f"{name} is no number.", where=name, found=text[:40])
    return number
