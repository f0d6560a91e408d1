"""What the typed face takes and gives, as it is documented in OpenAPI.

Values are left to numpy and to the model's schema: nothing here looks at them one by one.
"""

from typing import Any, ClassVar, Final, TypeAlias, final

from pydantic import Field

from vaekit.serving.question import HOTTEST
from vaekit.spec import Spec

_LISTS: Any = {"type": "array", "items": {}}
Lists: TypeAlias = Any

EXAMPLES = "Raw examples, (examples, *event_shape), or one example; null where a value is missing."
CONDITION = "What a conditional model has to be told: a value for all examples, or one for each."


class Asked(Spec):
    """What every verb can be told."""

    values: ClassVar[str | None] = None
    condition: dict[str, Any] = Field(default_factory=dict, description=CONDITION)


class AskedOfExamples(Asked):
    """Raw examples."""

    values = "x"
    x: Lists = Field(description=EXAMPLES, json_schema_extra=_LISTS)


@final
class Encode(AskedOfExamples):
    """Examples to encode."""


@final
class Reconstruct(AskedOfExamples):
    """Examples to encode and decode again."""


@final
class Score(AskedOfExamples):
    """Examples to score."""

    num_samples: int | None = Field(
        default=None, ge=1, description="Samples of z per example; the artifact says how many."
    )
    seed: int = Field(default=0, ge=0, lt=2**63, description="Of the samples.")


@final
class Decode(Asked):
    """Codes to decode."""

    values = "z"
    z: Lists = Field(
        description="Codes, (examples, latent), or one code.", json_schema_extra=_LISTS
    )


@final
class Sample(Asked):
    """How many examples to make."""

    n: int = Field(default=1, ge=1, description="How many.")
    seed: int = Field(default=0, ge=0, lt=2**63, description="Of the draws.")
    temperature: float = Field(
        default=1.0, ge=0, le=HOTTEST, description="Factor on the prior's scale."
    )


class Given(Spec):
    """What every answer says."""

    model: str
    version: str


@final
class Codes(Given):
    """One code for each example."""

    z: list[list[float]]


@final
class Scores(Given):
    """One number of each quantity for each example; null where it is no finite number."""

    scores: dict[str, list[float | None]]


@final
class Examples(Given):
    """Raw examples."""

    x: Lists = Field(json_schema_extra=_LISTS)


@final
class ModelCard(Spec):
    """What there is to know of a model before asking it."""

    name: str
    live: str | None
    versions: dict[str, str] = Field(description="sha256 of the artifact, by version.")
    aliases: dict[str, str]
    description: str
    kind: str
    verbs: list[str]
    input: dict[str, Any] = Field(description="Schema of one raw example.")
    latent_dim: int
    conditions: list[dict[str, Any]]
    scores: list[str]
    num_samples: int = Field(description="Samples of z per example, where nothing is said.")


@final
class Refusal(Spec):
    """What is wrong, where, what was expected, and what to do."""

    error: str


_REFUSALS: Final = {
    400: "No request",
    401: "No key, or an unknown one",
    403: "The key does not open this",
    404: "No such model, version or path",
    409: "What is there does not allow it",
    413: "Too large",
    415: "A kind of body that is not read here",
    422: "Values that do not fit",
    429: "Too much at once; Retry-After says when to come back",
    503: "About to end, or what is on disk cannot be read or written",
    504: "Not answered, or not arrived, in time",
}


def refused(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """How refusals with these statuses are documented."""
    return {status: {"model": Refusal, "description": _REFUSALS[status]} for status in statuses}
