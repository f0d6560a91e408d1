"""The one interface that runs a trained model, whatever is behind it.

Raw values go in, in the units and the form of the training data, and raw units come out; codes
are what `encode` gives. Nothing here draws but `sample` and `score`, whose noise depends on the
seed alone: an example gets the same answer in whatever batch it travels.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from jaxtyping import Float, Float64, Shaped

from vaekit.artifacts import Serving
from vaekit.errors import SpecError
from vaekit.runtime.chunks import in_chunks
from vaekit.runtime.door import Condition, Conditions, Door, check_count
from vaekit.runtime.noise import standard_noise
from vaekit.runtime.scores import Draws, Record, ScoreSums, squared_error
from vaekit.runtime.walks import along_dimensions, straight_lines
from vaekit.schema import Schema

VALUES_AT_A_TIME: Final = 2**22
ROWS_AT_A_TIME: Final = 4096
MOST_SAMPLES: Final = 100_000


class Runtime(ABC):
    """A trained model, ready to answer.

    Args:
        serving: What there is to know about it.
    """

    def __init__(self, serving: Serving) -> None:
        self.serving, self.most_rows = serving, ROWS_AT_A_TIME
        self._door = Door(serving)

    @property
    def schema(self) -> Schema:
        """What one raw example looks like."""
        return self.serving.form

    @property
    def verbs(self) -> tuple[str, ...]:
        """What it can be asked."""
        return tuple(self.serving.outputs)

    @property
    def rows_at_a_time(self) -> int:
        """How many examples are worked on at a time: `most_rows`, as far as memory allows."""
        return max(1, min(self.most_rows, VALUES_AT_A_TIME // math.prod(self.schema.event_shape)))

    # -- the verbs -----------------------------------------------------------------------------

    def encode(self, x: Any, condition: Condition = None) -> Float[np.ndarray, "examples latent"]:
        """The deterministic code of each example: for a VAE, the posterior mean.

        A posterior that is a flow has none in closed form; its code is what noise of zero becomes.

        Args:
            x: Raw examples, (examples, *event_shape), or one example.
            condition: What a conditional model has to be told, as in {"label": 7}.

        Raises:
            DataError: They do not fit the schema.
            SpecError: A condition is missing, or unknown.
        """
        raw = self._door.examples(x)
        return in_chunks(
            self._encode,
            self.rows_at_a_time,
            raw,
            self._door.c_beside(condition, len(raw)),
        )

    def decode(self, z: Any, condition: Condition = None) -> Float[np.ndarray, "examples *event"]:
        """Mean of p(x | z), in raw units.

        Args:
            z: Codes, (examples, latent_dim), or one code.
            condition: As for `encode`.

        Raises:
            DataError: They are not codes of this model.
        """
        codes = self._door.codes(z)
        return in_chunks(
            self._decode, self.rows_at_a_time, codes, self._door.c(condition, len(codes))
        )

    def reconstruct(
        self, x: Any, condition: Condition = None
    ) -> Float[np.ndarray, "examples *event"]:
        """What the model makes of each example: the decoded code, in raw units."""
        raw = self._door.examples(x)
        return in_chunks(
            self._reconstruct,
            self.rows_at_a_time,
            raw,
            self._door.c_beside(condition, len(raw)),
        )

    def score(
        self,
        x: Any,
        num_samples: int | None = None,
        seed: int = 0,
        condition: Condition = None,
    ) -> dict[str, Float64[np.ndarray, " examples"]]:
        """How well the model accounts for each example.

        Args:
            x: Raw examples. A model of random values (binarised pixels, say) is shown their
                expectation.
            num_samples: Samples k of z per example; by default those of `reference.json`.
            seed: Seed of the samples, which are the same for every example.
            condition: As for `encode`.

        Returns:
            By quantity, `serving.scores`: `elbo_nats`, `expected_log_likelihood_nats`,
            `kl_nats`, `log_likelihood_nats` (importance-weighted, from the same samples), and
            `mse`, of the reconstruction, per value, in units of the range where there is one.
            A model without a density has the second and the last.

        Raises:
            DataError: The examples do not fit the schema.
            SpecError: k is below one, or above 100,000.
        """
        found = self._scored(x, num_samples, seed, condition)
        return {name: found[name] for name in self.serving.scores}

    def record(
        self,
        x: Any,
        num_samples: int | None = None,
        seed: int = 0,
        condition: Condition = None,
    ) -> Record:
        """Scores and codes of examples.

        Args:
            x: Raw examples.
            num_samples: As for `score`.
            seed: As for `score`.
            condition: As for `encode`.
        """
        return Record(self.score(x, num_samples, seed, condition), self.encode(x, condition))

    def _scored(
        self, x: Any, num_samples: int | None, seed: int, condition: Condition
    ) -> dict[str, np.ndarray]:
        """All that `_score` finds."""
        protocol = self.serving.score_protocol
        k = protocol.num_samples if num_samples is None else num_samples
        check_count("num_samples", k, least=1, most=MOST_SAMPLES)
        raw = self._door.examples(x)
        noise = self._noise(k, seed)
        block = min(k if noise else 1, self.rows_at_a_time)
        blocks = range(0, k if noise else 1, block)
        shares = [tuple(layer[i : i + block] for layer in noise) for i in blocks]
        c = self._door.c_beside(condition, len(raw))
        return in_chunks(
            lambda rows, told: self._score(rows, told, shares), self.rows_at_a_time // block, raw, c
        )

    def sample(
        self, n: int, seed: int = 0, temperature: float = 1.0, condition: Condition = None
    ) -> Float[np.ndarray, "examples *event"]:
        """Means of p(x | z) for n draws of z from the prior, in raw units.

        Args:
            n: Number of examples; the first ones do not depend on it.
            seed: Seed of the draws.
            temperature: Factor on the scale of the prior (of a mixture, on that of each
                component); below one gives safer samples.
            condition: As for `encode`.

        Raises:
            SpecError: The model has no prior, or a number makes no sense.
        """
        if not self.serving.has_density:
            raise SpecError(
                "This model has no prior to sample from.",
                where=self.serving.name,
                found=f"model.kind = {self.serving.model_kind!r}",
                remedy="decode codes of your own, or train a model of kind 'vae'",
            )
        check_count("n", n, least=1)
        if not (math.isfinite(temperature) and temperature >= 0):
            raise SpecError(
                "A temperature cannot be used.", expected="zero or more", found=temperature
            )
        noise = [
            standard_noise((n, *layer.shape), layer.kind, seed, "sample", layer.name)
            for layer in self.serving.noise_of_samples
        ]
        return in_chunks(
            lambda c, *layers: self._sample(layers, c, temperature),
            self.rows_at_a_time,
            self._door.c(condition, n),
            *noise,
        )

    def interpolate(
        self, x_a: Any, x_b: Any, steps: int = 8, condition: Condition = None
    ) -> Float[np.ndarray, "pairs steps *event"]:
        """What lies between examples, along the straight line between their codes.

        Args:
            x_a: Where each line begins.
            x_b: Where it ends; as many examples as in `x_a`.
            steps: Number of points on a line, both ends included.
            condition: Of all of them, as for `encode`.

        Raises:
            SpecError: Codes are discrete, or there are too few steps.
        """
        self._door.check_continuous("interpolate")
        check_count("steps", steps, least=2)
        ends = self.encode(x_a, condition), self.encode(x_b, condition)
        return self._decoded(straight_lines(*ends, steps), condition)

    def traverse(
        self,
        x: Any = None,
        dimensions: Sequence[int] | None = None,
        reach: float = 3.0,
        steps: int = 7,
        condition: Condition = None,
    ) -> Float[np.ndarray, "examples dimensions steps *event"]:
        """What single latent dimensions do: each in turn runs from -reach to reach.

        Args:
            x: Examples whose codes give the other dimensions; all zero where absent.
            dimensions: Which dimensions; all where absent.
            reach: How far to go; standard deviations, under a standard normal prior.
            steps: Number of points, both ends included.
            condition: Of all of them, as for `encode`.

        Raises:
            SpecError: Codes are discrete, or there is no such dimension.
        """
        self._door.check_continuous("traverse")
        check_count("steps", steps, least=2)
        size = self.serving.latent_dim
        start = np.zeros((1, size), np.float32) if x is None else self.encode(x, condition)
        return self._decoded(along_dimensions(start, dimensions, reach, steps), condition)

    # -- checks alone, for whoever collects what is asked before it is answered -------------------

    def check_examples(self, x: Any) -> Shaped[np.ndarray, "examples *event"]:
        """Raw examples as the verbs take them.

        Raises:
            DataError: They do not fit the schema.
        """
        return self._door.examples(x)

    def check_codes(self, z: Any) -> Float[np.ndarray, "examples latent"]:
        """Codes as `decode` takes them.

        Raises:
            DataError: They are not codes of this model.
        """
        return self._door.codes(z)

    def check_condition(self, condition: Condition, n: int, is_shown: bool) -> None:
        """Complains of conditions that do not fit n examples.

        Args:
            condition: As for `encode`.
            n: Number of examples.
            is_shown: Whether examples are shown to the model, or it makes them.

        Raises:
            SpecError: Something is missing, or unknown.
        """
        _ = self._door.c_beside(condition, n) if is_shown else self._door.c(condition, n)

    # -- what a backend does, for arrays that were checked and fit into memory -------------------

    @abstractmethod
    def _encode(self, x: Shaped[np.ndarray, "examples *event"], c: Conditions) -> np.ndarray:
        """Codes of raw examples."""

    @abstractmethod
    def _decode(self, z: Float[np.ndarray, "examples latent"], c: Conditions) -> np.ndarray:
        """Raw-unit means of codes."""

    @abstractmethod
    def _infer(
        self,
        x: Shaped[np.ndarray, "examples *event"],
        c: Conditions,
        noise: tuple[np.ndarray, ...],
    ) -> Draws:
        """Draws z with noise of shape (samples, 1, *latent) per layer, for every example."""

    @abstractmethod
    def _sample(
        self, noise: tuple[np.ndarray, ...], c: Conditions, temperature: float
    ) -> np.ndarray:
        """Raw-unit means for prior draws made of noise of shape (examples, *latent) per layer."""

    # -- pieces --------------------------------------------------------------------------------

    def _noise(self, num_samples: int, seed: int) -> list[np.ndarray]:
        return [
            standard_noise((num_samples, 1, *layer.shape), layer.kind, seed, "score", layer.name)
            for layer in self.serving.noise
        ]

    def _reconstruct(self, x: np.ndarray, c: Conditions) -> np.ndarray:
        return self._decode(self._encode(x, c), c)

    def _decoded(self, codes: np.ndarray, condition: Condition) -> np.ndarray:
        """Codes of shape (examples, ..., latent); all codes of an example have its condition."""
        each = math.prod(codes.shape[1:-1])
        told = {
            name: values if np.ndim(values) == 0 else np.repeat(np.asarray(values), each)
            for name, values in (condition or {}).items()
        }
        means = self.decode(codes.reshape(-1, codes.shape[-1]), told)
        return means.reshape(*codes.shape[:-1], *means.shape[1:])

    def _score(
        self, x: np.ndarray, c: Conditions, blocks: Sequence[tuple[np.ndarray, ...]]
    ) -> dict[str, np.ndarray]:
        sums = ScoreSums()
        for noise in blocks:
            sums.add(self._infer(x, c, noise))
        return {**sums.scores(), "mse": squared_error(x, self._reconstruct(x, c), self.schema)}
