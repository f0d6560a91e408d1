"""A trained model that torch runs."""

from functools import cached_property
from pathlib import Path
from typing import final

import numpy as np
import torch
from jaxtyping import Float, Shaped
from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from vaekit.artifacts import ArtifactFolder, Document, Reference, Serving
from vaekit.data import Dataset, DataSpec, Observation, Rows, Transform
from vaekit.errors import ArtifactError, DataError
from vaekit.models import Model
from vaekit.runtime import Conditions, Draws, Runtime


@final
class Artifact(Runtime):
    """A model, its transform, and what is known about both.

    Args:
        serving: What there is to know to run it.
        model: On the device that it is to run on.
        transform: On the same device.
        folder: Where it was loaded from; absent before it is written.
    """

    def __init__(
        self,
        serving: Serving,
        model: Model,
        transform: Transform,
        folder: ArtifactFolder | None = None,
    ) -> None:
        super().__init__(serving)
        self.model, self.transform = model.eval(), transform
        self._folder = folder
        some = next(model.parameters())
        self._device, self._dtype = some.device, some.dtype

    # -- documents -----------------------------------------------------------------------------

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self._files.path

    @property
    def folder(self) -> ArtifactFolder:
        """The verified folder."""
        return self._files

    @property
    def is_signed(self) -> bool:
        """Whether a signature was asked for and found right."""
        return self._files.is_signed

    @cached_property
    def recipe(self) -> Document:
        """The resolved recipe."""
        return self._files.document("recipe.json")

    @cached_property
    def reference(self) -> Reference:
        """Scores and codes of held-out examples."""
        return self._files.reference

    @cached_property
    def metrics(self) -> Document:
        """What the model was measured at, with the protocol; empty if it was not."""
        return self._files.document("metrics.json")

    @cached_property
    def data(self) -> Document:
        """What the model was trained on."""
        return self._files.document("data.json")

    @cached_property
    def provenance(self) -> Document:
        """Versions, git state, and the machine."""
        return self._files.document("provenance.json")

    @cached_property
    def card(self) -> str:
        """The model card, in Markdown."""
        return self._files.read("card.md").decode(errors="replace")

    @cached_property
    def dataset(self) -> Dataset:
        """The data that the model was trained on, where it is on this machine or fetched.

        Raises:
            ArtifactError: The recipe names no data that this vaekit knows.
            DataError: It cannot be loaded, or is not what it was.
        """
        try:
            spec = TypeAdapter(DataSpec).validate_python(self.recipe.get("data"))
        except ValidationError as error:
            raise ArtifactError(
                "The recipe of the artifact names no data that this vaekit knows.",
                where=f"{self.path / 'recipe.json'}, key data",
                found=error.errors()[0]["msg"],
                remedy="name a file of examples",
            ) from error
        dataset, expected = spec.load(), str(self.data.get("fingerprint"))
        if dataset.fingerprint != expected:
            raise DataError(
                "The data is not what this model was trained on.",
                where=dataset.source,
                expected=f"fingerprint {expected[:16]}...",
                found=f"fingerprint {dataset.fingerprint[:16]}...",
                remedy="bring the old data back, or name a file of examples",
            )
        return dataset

    @property
    def _files(self) -> ArtifactFolder:
        if self._folder is None:
            raise RuntimeError("this artifact has not been written yet")
        return self._folder

    # -- the backend ---------------------------------------------------------------------------

    @torch.no_grad()
    def _encode(self, x: Shaped[np.ndarray, "examples *event"], c: Conditions) -> np.ndarray:
        return self.model.embed(self.observation(x, c)).cpu().numpy()

    @torch.no_grad()
    def _decode(self, z: Float[np.ndarray, "examples latent"], c: Conditions) -> np.ndarray:
        codes = self.model.latents(self._tensor(z))
        return self._raw(self.model.decode(codes, self._told(c)).mean[0])

    @torch.no_grad()
    def _infer(
        self,
        x: Shaped[np.ndarray, "examples *event"],
        c: Conditions,
        noise: tuple[np.ndarray, ...],
    ) -> Draws:
        observation, samples = self.observation(x, c), len(noise[0]) if noise else 1
        shared = tuple(
            layer.expand(-1, len(x), *layer.shape[2:]) for layer in map(self._tensor, noise)
        )
        inference = self.model.infer(observation, samples, shared)
        log_likelihood = inference.log_likelihood().double()
        if not self.model.facts.has_density:
            return Draws(log_likelihood.cpu().numpy())
        ratio = inference.log_prior().double() - inference.log_q().double()
        kl = sum(layer.double().flatten(2).sum(-1).mean(0) for layer in inference.kl)
        return Draws(
            log_likelihood.cpu().numpy(),
            (log_likelihood + ratio).cpu().numpy(),
            torch.as_tensor(kl).cpu().numpy(),
        )

    @torch.no_grad()
    def _sample(
        self, noise: tuple[np.ndarray, ...], c: Conditions, temperature: float
    ) -> np.ndarray:
        drawn = tuple(self._tensor(layer).unsqueeze(0) for layer in noise)
        n = len(noise[0])
        return self._raw(self.model.sample(n, self._told(c), temperature, noise=drawn).mean)

    def observation(self, x: np.ndarray, c: Conditions = None) -> Observation:
        """Raw examples as the model sees them here: the expectation of their presentation."""
        raw = torch.from_numpy(np.require(x, requirements=["C", "W"])).to(self._device)
        shown = self.transform.expected(Rows(raw), self._told(c))
        return shown.to(self._device, self._dtype)

    def conditions_of(self, rows: Rows) -> dict[str, np.ndarray] | None:
        """What rows of data say of what the model must be told, as the verbs take it.

        Raises:
            DataError: They do not come with their labels or attributes.
        """
        if not self.serving.needs_conditions:
            return None
        told = self.transform.conditioning.told_by(rows)
        return {name: values.cpu().numpy() for name, values in told.items()} or None

    def _told(self, c: Conditions) -> Tensor | None:
        return None if c is None else self._tensor(c)

    def _raw(self, x: Tensor) -> np.ndarray:
        return self.transform.inverse(x).cpu().numpy()

    def _tensor(self, values: np.ndarray) -> Tensor:
        return torch.tensor(values, device=self._device, dtype=self._dtype)
