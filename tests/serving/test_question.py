"""What is checked before it is queued, every refusal once."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from serving.linear_server import LinearRuntime, examples, serving

from vaekit.errors import DataError, SpecError, VaekitError
from vaekit.serving.question import Question, RequestLimits, question
from vaekit.serving.refusals import MalformedError, NotServedError, TooLargeError
from vaekit.serving.together import answers

RUNTIME = LinearRuntime()
TOLD = LinearRuntime(serving(conditions=[{"name": "label", "num_classes": 3}]))
X = examples(3)


def _score(**parameters: Any) -> Callable[[], Question]:
    return lambda: question(RUNTIME, "score", X, parameters=parameters)


def _sample(**parameters: Any) -> Callable[[], Question]:
    return lambda: question(RUNTIME, "sample", parameters=parameters)


def _told(condition: Any) -> Callable[[], Question]:
    return lambda: question(TOLD, "encode", X, condition)


REFUSALS: dict[str, tuple[Callable[[], Question], type[VaekitError], str]] = {
    "verb": (lambda: question(RUNTIME, "train", X), NotServedError, "no verb 'train'"),
    "nothing": (lambda: question(RUNTIME, "score"), MalformedError, "nothing to work on"),
    "empty": (lambda: question(RUNTIME, "score", X[:0]), MalformedError, "no examples"),
    "shape": (lambda: question(RUNTIME, "score", X[:, :2]), DataError, "shape"),
    "nan": (lambda: question(RUNTIME, "score", X * np.nan), DataError, "finite"),
    "range": (lambda: question(RUNTIME, "score", X + 1000), DataError, "range"),
    "codes": (lambda: question(RUNTIME, "decode", X), DataError, "not codes"),
    "unknown": (_score(temperature=1), SpecError, "no parameter 'temperature' of score"),
    "k": (_score(num_samples=0), SpecError, "one or more"),
    "k true": (_score(num_samples=True), SpecError, "one or more"),
    "k broken": (_score(num_samples=1.5), SpecError, "one or more"),
    "seed": (_score(seed=-1), SpecError, "zero or more"),
    "seed text": (_score(seed="1"), SpecError, "zero or more"),
    "n": (_sample(n=0), SpecError, "one or more"),
    "temperature": (_sample(temperature=float("nan")), SpecError, "zero or more"),
    "samples": (_score(num_samples=50_000), TooLargeError, "65,536 samples"),
    "answer": (
        lambda: question(RUNTIME, "reconstruct", X, limits=RequestLimits(answer_values=11)),
        TooLargeError,
        "11 numbers in the answer",
    ),
    "not told": (_told({}), SpecError, "needs to know the label"),
    "told what it is not": (
        lambda: question(RUNTIME, "encode", X, {"label": 1}),
        SpecError,
        "not conditioned",
    ),
    "class": (_told({"label": 3}), SpecError, "does not know this label"),
    "too few": (_told({"label": [1, 2]}), SpecError, "not one label for each"),
    "ragged": (_told({"label": [[1], [1, 2]]}), SpecError, "no list of numbers"),
    "word": (_told({"label": "one"}), SpecError, "does not know this label"),
}


@pytest.mark.parametrize("case", REFUSALS.values(), ids=REFUSALS)
def test_refused(case: tuple[Callable[[], Question], type[VaekitError], str]) -> None:
    ask, error, message = case
    with pytest.raises(error, match=message):
        ask()


def test_defaults_are_those_of_the_artifact() -> None:
    asked = question(RUNTIME, "score", X)
    assert asked.parameters == {"num_samples": 5, "seed": 0}
    assert asked.samples == 15


def test_conditions_travel_with_their_examples() -> None:
    labels = (0, [2, 1, 2], [[1], [0], [1]])
    asked = [question(TOLD, "reconstruct", X + i, {"label": c}) for i, c in enumerate(labels)]
    assert len({q.companions for q in asked}) == 1
    for i, answer in enumerate(answers(TOLD, asked)):
        alone = TOLD.reconstruct(X + i, {"label": np.broadcast_to(np.ravel(labels[i]), (3,))})
        np.testing.assert_allclose(answer["x"], alone, rtol=1e-5, atol=1e-5)


def test_codes_come_beside_scores_where_they_are_wanted() -> None:
    (answer,) = answers(RUNTIME, [question(RUNTIME, "score", X, with_codes=True)])
    assert np.array_equal(answer["z"], RUNTIME.encode(X))
    assert set(answer) == {*RUNTIME.serving.scores, "z"}
