"""Moves along the direction of an attribute, and what they change.

The direction of an attribute is the difference of mean codes between the quarter of training images
that has most of it and the quarter that has least, taken within each class and averaged over
classes: classes that differ in the attribute then say nothing. One step is the whole difference.

Reference:
    White (2016), Sampling Generative Networks, https://arxiv.org/abs/1609.04468
"""

from typing import Any, Final

import numpy as np
from jaxtyping import Float
from scipy.stats import spearmanr

from vaekit.studies.latent_arithmetic.attributes import ATTRIBUTES
from vaekit.studies.latent_arithmetic.subject import Shown, Subject

STEPS: Final = np.linspace(-1.0, 1.0, 9)
TRAINING_IMAGES: Final = 10_000
_QUARTER: Final = 0.25


def direction(shown: Shown, values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " latent"]:
    """From codes of images with little of an attribute to those with much."""
    found = []
    for label in np.unique(shown.labels):
        codes, some = shown.codes[shown.labels == label], values[shown.labels == label]
        low, high = np.quantile(some, [_QUARTER, 1 - _QUARTER])
        found.append(codes[some >= high].mean(0) - codes[some <= low].mean(0))
    return np.mean(found, axis=0)


def random_direction(length: float, latent: int, seed: int) -> Float[np.ndarray, " latent"]:
    """A direction that stands for nothing, of the same length."""
    drawn = np.random.default_rng(seed).standard_normal(latent)
    return length * drawn / np.linalg.norm(drawn)


def moves(subject: Subject, examples: int, seed: int = 0) -> dict[str, Any]:
    """What moves along each attribute change, a list over classes for each number.

    Args:
        subject: The model.
        examples: Test images of each class.
        seed: Of the directions that stand for nothing.
    """
    train = subject.shown("train", TRAINING_IMAGES)
    test = first_of_each_class(subject.shown("test", TRAINING_IMAGES), examples)
    found: dict[str, Any] = {}
    for number, (name, read) in enumerate(ATTRIBUTES.items()):
        values = read(train.images)
        along = direction(train, values)
        aside = random_direction(float(np.linalg.norm(along)), len(along), seed + number)
        found[name] = {
            "direction": _moved(subject, test, name, along),
            "random": _moved(subject, test, name, aside),
            "deviation_in_data": round(float(values.std()), 4),
            "length": round(float(np.linalg.norm(along)), 4),
        }
    return found


def first_of_each_class(shown: Shown, examples: int) -> Shown:
    """So many images of each class, one class after another."""
    rows = np.concatenate(
        [np.flatnonzero(shown.labels == label)[:examples] for label in np.unique(shown.labels)]
    )
    return Shown(*(part[rows] for part in shown))


def walked(
    codes: Float[np.ndarray, "n latent"], along: Float[np.ndarray, " latent"]
) -> Float[np.ndarray, "n steps latent"]:
    """Codes on the way, the middle one where they are."""
    return codes[:, None] + STEPS[:, None] * along


def _moved(subject: Subject, test: Shown, name: str, along: np.ndarray) -> dict[str, Any]:
    """By class: rank correlation, classes kept, and the attribute at every step."""
    codes = walked(test.codes, along)
    images, seen = subject.decoded(codes.reshape(-1, codes.shape[-1]))
    n, steps = codes.shape[:2]
    values = ATTRIBUTES[name](images).reshape(n, steps)
    classes = seen.classes.reshape(n, steps)
    kept = classes == classes[:, [steps // 2]]
    ranks = np.array([spearmanr(STEPS, some)[0] for some in values])
    labels = np.unique(test.labels)
    by_class = [test.labels == label for label in labels]
    return {
        "labels": labels.tolist(),
        "spearman": [round(float(ranks[rows].mean()), 4) for rows in by_class],
        "kept_at_half": [round(float(_at_half(kept)[rows].mean()), 4) for rows in by_class],
        "kept_at_ends": [round(float(kept[rows][:, [0, -1]].mean()), 4) for rows in by_class],
        "kept": [round(float(share), 4) for share in kept.mean(0)],
        "values": [[round(float(v), 4) for v in values[rows].mean(0)] for rows in by_class],
    }


def _at_half(kept: np.ndarray) -> np.ndarray:
    """Whether the class is kept half a step to either side."""
    quarter = (len(STEPS) - 1) // 4
    return kept[:, [quarter, -1 - quarter]].mean(1)
