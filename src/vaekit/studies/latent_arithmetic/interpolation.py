"""What lies between two digits: straight lines against arcs.

    linear      (1 - t) a + t b
    spherical   sin((1 - t) w) / sin(w) a + sin(t w) / sin(w) b,    w the angle between a and b

In many dimensions a straight line between two draws of the prior passes nearer to the origin than
draws lie; an arc keeps their length. Whether that matters is measured on what is decoded: how sure
the classifier is, and how far off the nearest of some training images is.

Reference:
    White (2016), Sampling Generative Networks, https://arxiv.org/abs/1609.04468
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float

from vaekit.runtime import straight_lines
from vaekit.studies.latent_arithmetic.subject import Shown, Subject

STEPS: Final = 11
PAIRS: Final = 200
NEIGHBOURS_AMONG: Final = 10_000
Path = Callable[[np.ndarray, np.ndarray, int], np.ndarray]


def arcs(
    start: Float[np.ndarray, "pairs latent"], end: Float[np.ndarray, "pairs latent"], steps: int
) -> Float[np.ndarray, "pairs steps latent"]:
    """Codes along the arc from each start to its end, both included; lines where both point alike.

    Example:
        >>> arcs(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]), 3)[0, 1].round(4).tolist()
        [0.7071, 0.7071]
    """
    lengths = np.linalg.norm(start, axis=1) * np.linalg.norm(end, axis=1)
    cosine = (start * end).sum(1) / np.maximum(lengths, 1e-12)
    angle = np.arccos(np.clip(cosine, -1, 1))[:, None]
    share = np.linspace(0, 1, steps)
    sine = np.sin(angle)
    flat = sine < 1e-6
    safe = np.where(flat, 1.0, sine)
    first = np.where(flat, 1 - share, np.sin((1 - share) * angle) / safe)
    second = np.where(flat, share, np.sin(share * angle) / safe)
    return start[:, None] * first[..., None] + end[:, None] * second[..., None]


WAYS: Final[dict[str, Path]] = {"linear": straight_lines, "spherical": arcs}


def between(subject: Subject, seeds: int) -> dict[str, Any]:
    """Numbers along both kinds of way, by the seed of the pairs."""
    train = subject.shown("train", NEIGHBOURS_AMONG)
    test = subject.shown("test", NEIGHBOURS_AMONG)
    found: dict[str, Any] = {name: [] for name in WAYS}
    for seed in range(seeds):
        first, second = pairs(test, PAIRS, seed)
        for name, way in WAYS.items():
            codes = way(test.codes[first], test.codes[second], STEPS)
            found[name].append(_along(subject, train, codes))
    return found


def pairs(shown: Shown, number: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of images of different classes."""
    source = np.random.default_rng(seed)
    first, second = source.integers(len(shown.labels), size=(2, 4 * number))
    apart = shown.labels[first] != shown.labels[second]
    return first[apart][:number], second[apart][:number]


def _along(subject: Subject, train: Shown, codes: np.ndarray) -> dict[str, Any]:
    count, steps, latent = codes.shape
    images, seen = subject.decoded(codes.reshape(-1, latent))
    classes = seen.classes.reshape(count, steps)
    far = nearest(images, train.images).reshape(count, steps)
    changes = (classes[:, 1:] != classes[:, :-1]).sum(1)
    ends = classes[:, [0, -1]]
    third = np.all(classes[:, :, None] != ends[:, None], axis=2).any(1)
    return {
        "confidence": _rounded(seen.confidence.reshape(count, steps).mean(0)),
        "distance": _rounded(far.mean(0)),
        "length": _rounded(np.linalg.norm(codes, axis=2).mean(0)),
        "changes": round(float(changes.mean()), 4),
        "one_change": round(float((changes == 1).mean()), 4),
        "third_class": round(float(third.mean()), 4),
    }


def nearest(
    images: Float[np.ndarray, "n height width"], others: Float[np.ndarray, "m height width"]
) -> Float[np.ndarray, " n"]:
    """Root mean square difference in pixels, from 0 to 1, to the nearest of the others."""
    one, other = (torch.as_tensor(part.reshape(len(part), -1)).float() for part in (images, others))
    found = [torch.cdist(some, other).min(1).values for some in one.split(500)]
    return (torch.cat(found) / one.shape[1] ** 0.5).double().numpy()


def _rounded(values: np.ndarray) -> list[float]:
    return [round(float(value), 4) for value in values]
