"""The classifier of a data set, trained once and kept in the cache.

    <cache>/classifiers/<fingerprint of the data>-v<version>.safetensors

Features of two trainings cannot be compared, and no training gives the same bits on every
machine: numbers of one cache can be compared with each other.
"""

from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from vaekit.data import Dataset, cache_folder, write_whole
from vaekit.evaluation.sample_quality.classifier import VERSION, Classifier, train_classifier


def kept_classifier(
    dataset: Dataset,
    device: torch.device | str,
    progress: Callable[[float], None] = lambda share: None,
) -> Classifier:
    """The classifier from the cache, or else trained now and put there.

    Args:
        dataset: Images with a range, whose training split has labels.
        device: Where it is needed.
        progress: Told which share of the training is done.

    Raises:
        DataError: The cache cannot be written.
    """
    path = _path(dataset)
    kept = _read(path, dataset)
    if kept is None:
        kept = train_classifier(dataset, device, progress)
        write_whole(path, save({name: part.cpu() for name, part in kept.state_dict().items()}))
    return kept.to(device)


def _path(dataset: Dataset) -> Path:
    return cache_folder() / "classifiers" / f"{dataset.fingerprint}-v{VERSION}.safetensors"


def _read(path: Path, dataset: Dataset) -> Classifier | None:
    """What lies there; None where there is nothing, or nothing whole."""
    if not path.is_file():
        return None
    with torch.random.fork_rng(devices=[]):
        classifier = Classifier(dataset.schema)
    try:
        classifier.load_state_dict(load(path.read_bytes()))
    except (OSError, SafetensorError, RuntimeError):
        return None  # it can be trained again
    return classifier.eval().requires_grad_(False)
