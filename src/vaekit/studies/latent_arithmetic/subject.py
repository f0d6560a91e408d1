"""A trained model of labelled images, and the classifier that looks at what it decodes."""

from dataclasses import dataclass
from typing import NamedTuple, final

import numpy as np
import torch
from jaxtyping import Float, Int64

from vaekit.data import Dataset, Rows, Transform
from vaekit.errors import SpecError
from vaekit.evaluation import Classifier, kept_classifier
from vaekit.models import Model
from vaekit.runs import Run

_BLOCK = 1000


class Seen(NamedTuple):
    """What the classifier says of images."""

    classes: Int64[np.ndarray, " n"]
    confidence: Float[np.ndarray, " n"]
    """Probability of that class."""


class Shown(NamedTuple):
    """Images of a split."""

    images: Float[np.ndarray, "n height width"]
    """Between 0 and 1."""
    labels: Int64[np.ndarray, " n"]
    codes: Float[np.ndarray, "n latent"]


@final
@dataclass(frozen=True)
class Subject:
    """What is measured.

    Args:
        model: Trained, in evaluation mode.
        dataset: Labelled images of one channel.
        transform: What the model sees of them.
        classifier: That of the data set.
    """

    model: Model
    dataset: Dataset
    transform: Transform
    classifier: Classifier

    @torch.no_grad()
    def shown(self, split: str, most: int) -> Shown:
        """The first images of a split, with their codes."""
        chosen = self.dataset.split(split)
        rows = chosen.rows(0, min(most, len(chosen)))
        codes = [self._codes(rows[start : start + _BLOCK]) for start in range(0, len(rows), _BLOCK)]
        labels = np.zeros(len(rows), int) if rows.labels is None else rows.labels.numpy()
        return Shown(self._unit(rows.x), labels, np.concatenate(codes))

    @torch.no_grad()
    def decoded(
        self, codes: Float[np.ndarray, "n latent"]
    ) -> tuple[Float[np.ndarray, "n height width"], Seen]:
        """Means of p(x | z), between 0 and 1, and what the classifier says of them."""
        images, classes, confidence = [], [], []
        like = next(self.model.parameters())
        for start in range(0, len(codes), _BLOCK):
            some = torch.as_tensor(codes[start : start + _BLOCK]).to(like)
            raw = self.transform.inverse(self.model.decode(self.model.latents(some)).mean[0])
            told = self.classifier(raw).softmax(1).max(1)
            images.append(self._unit(raw))
            classes.append(told.indices.cpu().numpy())
            confidence.append(told.values.cpu().numpy())
        seen = Seen(np.concatenate(classes), np.concatenate(confidence))
        return np.concatenate(images), seen

    def _codes(self, rows: Rows) -> np.ndarray:
        like = next(self.model.parameters())
        return self.model.embed(self.transform.expected(rows.to(like.device))).cpu().numpy()

    def _unit(self, raw: torch.Tensor) -> np.ndarray:
        low, high = self.dataset.schema.low or 0.0, self.dataset.schema.high or 1.0
        scaled = (raw.cpu().double() - low) / (high - low)
        return scaled.clamp(0, 1)[:, 0].numpy()


def subject_of(run: Run) -> Subject:
    """The model of a run.

    Raises:
        SpecError: It is no model of labelled images whose codes are vectors of numbers.
    """
    schema, facts = run.dataset.schema, run.model.facts
    reasons = {
        "its data are no images of one channel": schema.kind != "image"
        or schema.event_shape[0] != 1,
        "its images have no classes": not run.dataset.split("train").has_labels,
        "its codes are discrete": facts.latent == "discrete",
        "it is conditioned on something": run.transform.num_conditions > 0,
        "its codes are of several layers": len(run.model.noise_spec(1)) != 1,
    }
    for reason, is_so in reasons.items():
        if is_so:
            raise SpecError(
                "Latent arithmetic needs a model of labelled grey images with one layer of codes.",
                where=run.folder,
                found=reason,
                remedy="train a recipe such as mnist",
            )
    device = run.recipe.training.device
    return Subject(run.model, run.dataset, run.transform, kept_classifier(run.dataset, device))
