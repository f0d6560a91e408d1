"""A trained model that onnxruntime runs: what a serving image has in the place of torch.

Every verb is one graph, which takes raw values and has the transform inside. What torch scores, the
variant fp32 scores too; an example's answer depends on no other example of its batch, whatever the
variant (weights may be in int8, activations never are).
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple, final

import numpy as np
from jaxtyping import Float, Shaped

from vaekit.artifacts import PLAIN, ArtifactFolder, Exported, Reference, Serving, open_artifact
from vaekit.artifacts import Variant as VariantFacts
from vaekit.errors import ArtifactError, MissingExtraError, SpecError
from vaekit.runtime.runtime import Condition, Conditions, Runtime, in_chunks
from vaekit.runtime.scores import Draws, Record, ScoreSums

TEMPERATURE: Final = "temperature"


def noise_input(layer: str) -> str:
    """What the noise of a layer is called among the inputs of a graph."""
    return f"noise_{layer}"


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
        self._sessions = {
            verb: _session(verb, graph, threads, opened) for verb, graph in graphs.items()
        }
        self._inputs = {
            verb: {given.name for given in session.get_inputs()}
            for verb, session in self._sessions.items()
        }
        self._opened = opened

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
        return tuple(self._sessions)

    @property
    def verbs(self) -> tuple[str, ...]:
        """What it can be asked, with the graphs that there are."""
        needed = {"reconstruct": {"encode", "decode"}}
        return tuple(
            verb for verb in self.serving.outputs if needed.get(verb, {verb}) <= {*self._sessions}
        )

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
        raw = self._examples(x)
        c = self._c_beside(condition, len(raw))
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
        """The outputs of a graph, by name; what it does not ask for is not handed in."""
        if verb not in self._sessions:
            raise self._not_exported(verb)
        wanted = self._inputs[verb]
        feeds = {n: array for n, array in given.items() if n in wanted and array is not None}
        session = self._sessions[verb]
        names = [output.name for output in session.get_outputs()]
        per_example = [name for name in feeds if not _is_shared(verb, name)]
        if len(feeds[per_example[0]]) > 0:
            return dict(zip(names, session.run(None, feeds), strict=True))
        # A graph computes with sizes, and no size fits into none: one blank row, and then it goes.
        blank = {
            name: np.zeros((1, *array.shape[1:]), array.dtype) if name in per_example else array
            for name, array in feeds.items()
        }
        return {
            name: values[:0] for name, values in zip(names, session.run(None, blank), strict=True)
        }

    def _not_exported(self, verb: str) -> SpecError:
        reason = self.exported.not_exported.get(verb) if self._opened else None
        return SpecError(
            f"The model {self.serving.name} was exported without a graph for '{verb}'.",
            where="onnx/export.json",
            found=reason or "no such graph",
            remedy="run it with torch: vaekit.load",
        )


def open_runtime(
    path: Path | str,
    public_key: Path | str | None = None,
    variant: str = PLAIN,
    threads: int = 1,
    verbs: Collection[str] | None = None,
) -> OnnxRuntime:
    """A trained model that runs without torch; the artifact is verified as a whole.

    Args:
        path: The artifact, or the run that it is of.
        public_key: PEM file of who must have signed it; else what VAEKIT_PUBLIC_KEY names.
        variant: Which of the artifact's variants: 'fp32', 'int8', ...
        threads: Of each graph.
        verbs: Which graphs are loaded; all of them where absent.

    Raises:
        ArtifactError: It is damaged, tampered with, unsigned, or was not exported to ONNX.
        SpecError: It has no such variant.
        MissingExtraError: onnxruntime is not installed.
    """
    folder = open_artifact(path, public_key)
    exported = folder.exported
    if exported is None:
        raise ArtifactError(
            "The artifact has no ONNX graphs yet.",
            where=folder.path,
            expected="a folder onnx/",
            remedy=f"vaekit export {folder.path}",
        )
    if variant not in exported.variants:
        options = {"int8": " --int8"}.get(variant, " --prune SHARE" if "pruned" in variant else "")
        raise SpecError(
            f"The artifact has no variant {variant!r}.",
            where=folder.path / "onnx",
            expected=" or ".join(exported.variants),
            found=variant,
            remedy=f"choose one of these, or vaekit export {folder.path}{options}",
        )
    graphs = {
        verb: graph
        for verb, graph in exported.variants[variant].graphs.items()
        if verbs is None or verb in verbs
    }
    return OnnxRuntime(
        folder.serving,
        {verb: folder.read(graph.file) for verb, graph in graphs.items()},
        threads,
        Opened(folder, exported, variant),
    )


def _session(verb: str, graph: bytes, threads: int, opened: Opened | None) -> Any:
    onnxruntime = _onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors; what is said of an optimisation helps nobody here
    # Weights in int8 become floating-point numbers once, when the graph is loaded; and no pattern
    # of nodes is taken for permission to round activations.
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises many kinds, of a module of its own
        raise ArtifactError(
            f"The graph '{verb}' cannot be run by this onnxruntime.",
            where="a graph in memory" if opened is None else opened.folder.path / "onnx",
            found=f"onnxruntime {onnxruntime.__version__}: {str(error)[:200]}",
            remedy="install the onnxruntime that export.json names, or export the model again",
        ) from error


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


def _is_shared(verb: str, name: str) -> bool:
    """Whether an input is one for all examples."""
    return name == TEMPERATURE or (verb == "score" and name.startswith("noise_"))


def _onnxruntime() -> ModuleType:
    try:
        import onnxruntime
    except ImportError:
        raise MissingExtraError("serve", "Running a model without torch") from None
    return onnxruntime
