"""BentoML, with its adaptive batching."""

import bentoml
from scorer import Scorer


@bentoml.service(workers=1, traffic={"timeout": 30})
class Score:
    def __init__(self) -> None:
        self.scorer = Scorer()

    @bentoml.api(
        batchable=True, batch_dim=0, max_batch_size=64, max_latency_ms=1000, route="/score"
    )
    def score(self, x: list[list[int]]) -> list[dict[str, float]]:
        found = self.scorer(x)
        return [{name: values[i] for name, values in found.items()} for i in range(len(x))]
