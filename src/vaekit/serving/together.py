"""Questions that travel together: one call of the runtime, the answers taken apart again."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from vaekit.runtime import Runtime
from vaekit.serving.question import Question

Answer: TypeAlias = dict[str, np.ndarray]
"""By name of the output, a row for each example."""


def answers(runtime: Runtime, questions: Sequence[Question]) -> list[Answer]:
    """Answers of questions of one kind, in their order.

    Args:
        runtime: The model.
        questions: At least one; all with equal `companions`.
    """
    if len(questions) == 1:
        return [_answer(runtime, questions[0])]
    first = questions[0]
    rows = [q.values for q in questions if q.values is not None]
    joined = Question(
        first.verb,
        sum(q.n for q in questions),
        np.concatenate(rows),
        {name: np.concatenate([q.condition[name] for q in questions]) for name in first.condition},
        first.parameters,
        first.with_codes,
    )
    ends = np.cumsum([q.n for q in questions])
    whole = _answer(runtime, joined)
    return [
        {name: rows[end - q.n : end] for name, rows in whole.items()}
        for q, end in zip(questions, ends, strict=True)
    ]


def _answer(runtime: Runtime, asked: Question) -> Answer:
    told = asked.condition or None
    if asked.verb == "sample":
        given = asked.parameters
        return {"x": runtime.sample(given["n"], given["seed"], given["temperature"], told)}
    if asked.verb == "score":
        given = asked.parameters["num_samples"], asked.parameters["seed"], told
        if not asked.with_codes:
            return runtime.score(asked.values, *given)
        scores, codes = runtime.record(asked.values, *given)
        return {**scores, "z": codes}
    if asked.verb == "decode":
        return {"x": runtime.decode(asked.values, told)}
    if asked.verb == "encode":
        return {"z": runtime.encode(asked.values, told)}
    return {"x": runtime.reconstruct(asked.values, told)}
