"""One ONNX graph, ready to run: arrays by the names of its inputs, and by those of its outputs."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any, Final, final

import numpy as np

from vaekit.errors import ArtifactError, MissingExtraError

TEMPERATURE: Final = "temperature"


def noise_input(layer: str) -> str:
    """What the noise of a layer is called among the inputs of a graph."""
    return f"noise_{layer}"


@final
class Graph:
    """A graph of one verb.

    Args:
        verb: What it does.
        content: As it is in its file.
        threads: For one operation.
        where: It came from, for whoever is told that it cannot be run.

    Raises:
        ArtifactError: It cannot be run.
        MissingExtraError: onnxruntime is not installed.
    """

    def __init__(self, verb: str, content: bytes, threads: int, where: object) -> None:
        self._verb, self._session = verb, _session(verb, content, threads, where)
        self._inputs = {given.name for given in self._session.get_inputs()}
        self._outputs = [output.name for output in self._session.get_outputs()]

    def run(self, given: Mapping[str, np.ndarray | None]) -> dict[str, np.ndarray]:
        """The outputs, by name; what the graph does not ask for is not handed in."""
        feeds = {n: array for n, array in given.items() if n in self._inputs and array is not None}
        per_example = [name for name in feeds if not _is_shared(self._verb, name)]
        if len(feeds[per_example[0]]) > 0:
            return dict(zip(self._outputs, self._session.run(None, feeds), strict=True))
        # A graph computes with sizes, and no size fits into none: one blank row, and then it goes.
        blank = {
            name: np.zeros((1, *array.shape[1:]), array.dtype) if name in per_example else array
            for name, array in feeds.items()
        }
        values = self._session.run(None, blank)
        return {name: array[:0] for name, array in zip(self._outputs, values, strict=True)}


def _session(verb: str, graph: bytes, threads: int, where: object) -> Any:
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
            where=where,
            found=f"onnxruntime {onnxruntime.__version__}: {str(error)[:200]}",
            remedy="install the onnxruntime that export.json names, or export the model again",
        ) from error


def _is_shared(verb: str, name: str) -> bool:
    """Whether an input is one for all examples."""
    return name == TEMPERATURE or (verb == "score" and name.startswith("noise_"))


def _onnxruntime() -> ModuleType:
    try:
        import onnxruntime
    except ImportError:
        raise MissingExtraError("serve", "Running a model without torch") from None
    return onnxruntime
