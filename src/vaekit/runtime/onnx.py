"""A trained model that onnxruntime runs: what a serving image has in the place of torch.

Every verb is one graph, which takes raw values and has the transform inside. What torch scores, the
variant fp32 scores too; an example's answer depends on no other example of its batch, whatever the
variant (weights may be in int8, activations never are).
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, final

import numpy as np
from jaxtyping import Float, Shaped

from vaekit.artifacts import ArtifactFolder, Exported, Reference, Serving
from vaekit.artifacts import Variant as VariantFacts
from vaekit.errors import SpecError
from vaekit.runtime.chunks import in_chunks
from vaekit.runtime.door import Condition, Conditions
from vaekit.runtime.graph import TEMPERATURE, Graph, noise_input
from vaekit.runtime.runtime import Runtime
from vaekit.runtime.scores import Draws, Record, ScoreSums


class Opened(NamedTuple):
    """Where graphs come from."""

    folder: ArtifactFolder
    exported: Exported
    variant: str


@final
class OnnxRuntime(Runtime):
    """A model whose verbs are ONNX graphs.

    Args:
        serving: What there is to know to run it.
        graphs: By verb, as they are in files.
        threads: Of each graph; one leaves the other cores to other requests.
        opened: Where the graphs come from; absent before they are written.

    Raises:
        ArtifactError: A graph cannot be run.
        MissingExtraError: onnxruntime is not installed.
    """

    def __init__(
        self,
        serving: Serving,
        graphs: Mapping[str, bytes],
        threads: int = 1,
        opened: Opened | None = None,
    ) -> None:
        super().__init__(serving)
        where = "a graph in memory" if opened is None else opened.folder.path / "onnx"
        self._graphs = {verb: Graph(verb, c, threads, where) for verb, c in graphs.items()}
        self._opened = opened
        needed = {"reconstruct": {"encode", "decode"}}
        self._verbs = tuple(v for v in serving.outputs if needed.get(v, {v}) <= {*graphs})

    # -- documents -----------------------------------------------------------------------------

    @property
    def folder(self) -> ArtifactFolder:
        """The artifact that it was opened from."""
        return self._source.folder

    @property
    def path(self) -> Path:
        """Where that lies."""
        return self.folder.path

    @property
    def exported(self) -> Exported:
        """What is known of all its graphs."""
        return self._source.exported

    @property
    def variant(self) -> str:
        """Which of the variants this is."""
        return self._source.variant

    @property
    def facts(self) -> VariantFacts:
        """What was measured of this variant."""
        return self.exported.variants[self.variant]

    @cached_property
    def reference(self) -> Reference:
        """Scores and codes of held-out examples, as this variant gives them."""
        return self.facts.reference

    @property
    def graphs(self) -> tuple[str, ...]:
        """Which graphs there are."""
        return tuple(self._graphs)

    @property
    def verbs(self) -> tuple[str, ...]:
        """What it can be asked, with the graphs that there are."""
        return self._verbs

    @property
    def _source(self) -> Opened:
        if self._opened is None:
            raise RuntimeError("these graphs have not been written yet")
        return self._opened

    # -- more than the interface of all runtimes asks --------------------------------------------

    def posterior(self, x: Any, condition: Condition = None) -> dict[str, np.ndarray]:
        """The code of each example, `z`, and what q(z | x) is made of, by layer.

        Args:
            x: Raw examples.
            condition: As for `encode`.

        Returns:
            Of a Gaussian layer `z_mean` and `z_stddev` (with a full covariance, `z_scale_tril`
            too), of a categorical one `z_probabilities`, of codes from a codebook their numbers,
            of a flow the Gaussian that it starts from; with the layer's own name, where there are
            several. The layers below (above, in a hierarchical VAE) are given the means of others.
        """
        raw = self._door.examples(x)
        c = self._door.c_beside(condition, len(raw))
        return in_chunks(
            lambda rows, told: self._run("encode", x=rows, c=told), self.rows_at_a_time, raw, c
        )

    def record(
        self,
        x: Any,
        num_samples: int | None = None,
        seed: int = 0,
        condition: Condition = None,
    ) -> Record:
        """Scores and codes of examples, from one pass through one graph."""
        found = self._scored(x, num_samples, seed, condition)
        return Record({name: found[name] for name in self.serving.scores}, found["z"])

    # -- the backend ---------------------------------------------------------------------------

    def _encode(self, x: Shaped[np.ndarray, "examples *event"], c: Conditions) -> np.ndarray:
        return self._run("encode", x=x, c=c)["z"]

    def _decode(self, z: Float[np.ndarray, "examples latent"], c: Conditions) -> np.ndarray:
        return self._run("decode", z=z.astype(np.float32), c=c)["x"]

    def _infer(
        self,
        x: Shaped[np.ndarray, "examples *event"],
        c: Conditions,
        noise: tuple[np.ndarray, ...],
    ) -> Draws:
        return _draws(self._run_score(x, c, noise), noise)

    def _score(
        self, x: np.ndarray, c: Conditions, blocks: Sequence[tuple[np.ndarray, ...]]
    ) -> dict[str, np.ndarray]:
        sums, found = ScoreSums(), {}
        for noise in blocks:
            found = self._run_score(x, c, noise)
            sums.add(_draws(found, noise))
        return {**sums.scores(), "mse": found["mse"], "z": found["z"]}

    def _sample(
        self, noise: tuple[np.ndarray, ...], c: Conditions, temperature: float
    ) -> np.ndarray:
        layers = _named(noise, [layer.name for layer in self.serving.noise_of_samples])
        spread = np.asarray(temperature, np.float32)
        return self._run("sample", c=c, **layers, **{TEMPERATURE: spread})["x"]

    def _run_score(
        self, x: np.ndarray, c: Conditions, noise: tuple[np.ndarray, ...]
    ) -> dict[str, np.ndarray]:
        layers = _named(noise, [layer.name for layer in self.serving.noise])
        return self._run("score", x=x, c=c, **layers)

    def _run(self, verb: str, **given: np.ndarray | None) -> dict[str, np.ndarray]:
        if verb not in self._graphs:
            raise self._not_exported(verb)
        return self._graphs[verb].run(given)

    def _not_exported(self, verb: str) -> SpecError:
        reason = self.exported.not_exported.get(verb) if self._opened else None
        return SpecError(
            f"The model {self.serving.name} was exported without a graph for '{verb}'.",
            where="onnx/export.json",
            found=reason or "no such graph",
            remedy="run it with torch: vaekit.load",
        )


def _draws(found: Mapping[str, np.ndarray], noise: tuple[np.ndarray, ...]) -> Draws:
    """What a graph says of all its samples, as one row that stands for them."""
    fit, each = found["expected_log_likelihood_nats"][None], len(noise[0]) if noise else 1
    if "elbo_nats" not in found:
        return Draws(fit, each=each)
    return Draws(fit, found["log_likelihood_nats"][None], found["kl_nats"], each)


def _named(noise: tuple[np.ndarray, ...], layers: list[str]) -> dict[str, np.ndarray]:
    return {
        noise_input(name): layer.astype(np.float32)
        for name, layer in zip(layers, noise, strict=True)
    }
