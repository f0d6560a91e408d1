"""What all peers have in common: the same score graph, one thread, one sample of z."""

import os

import numpy as np
import onnxruntime


class Scorer:
    """The graph `score` of an artifact.

    The environment says which: GRAPH is its file, SHAPE the form of one example.
    """

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            os.environ["GRAPH"], options, providers=["CPUExecutionProvider"]
        )
        self._shape = tuple(int(side) for side in os.environ["SHAPE"].split(","))
        self._noise = {
            given.name: np.zeros([1, *given.shape[1:]], np.float32)
            for given in self._session.get_inputs()
            if given.name.startswith("noise_")
        }

    def __call__(self, rows: list) -> dict[str, list[float]]:
        """Scores of flat rows of whole numbers."""
        x = np.asarray(rows, np.uint8).reshape(len(rows), *self._shape)
        names = ["elbo_nats", "kl_nats", "mse"]
        found = self._session.run(names, {"x": x, **self._noise})
        return {name: values.tolist() for name, values in zip(names, found, strict=True)}
