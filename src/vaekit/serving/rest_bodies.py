"""What the typed face takes and gives, as it is documented in OpenAPI.

Values are left to numpy and to the model's schema: nothing here looks at them one by one.
"""

from typing import Any, ClassVar, TypeAlias, final

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

    model: str = Field(description="Who answered.")
    version: str = Field(description="Which version of it did.")


@final
class Codes(Given):
    """One code for each example."""

    z: list[list[float]] = Field(description="Codes, (examples, latent).")


@final
class Scores(Given):
    """One number of each quantity for each example; null where it is no finite number."""

    scores: dict[str, list[float | None]] = Field(
        description="By quantity, as in elbo_nats, kl_nats, mse: one number for each example, null "
        "where it is no finite one."
    )


@final
class Examples(Given):
    """Raw examples."""

    x: Lists = Field(
        description="Raw examples, (examples, *event_shape).", json_schema_extra=_LISTS
    )


@final
class HeldOut(Spec):
    """Scores of examples that were not trained on, as what is served here gives them."""

    split: str = Field(description="Where they are from.")
    examples: int = Field(description="How many they are.")
    num_samples: int = Field(description="Samples of z per example; more make higher bounds.")
    quantiles: dict[str, dict[str, float]] = Field(
        description="By quantity and share of examples, as in elbo_nats, 0.01."
    )


@final
class ModelCard(Spec):
    """What there is to know of a model before asking it."""

    name: str = Field(description="Of the model.")
    live: str | None = Field(description="The version that answers where none is named.")
    versions: dict[str, str] = Field(description="sha256 of the artifact, by version.")
    aliases: dict[str, str] = Field(description="Versions, by the names that point to them.")
    description: str = Field(description="What whoever trained it says of it.")
    kind: str = Field(description="Kind of model, as in vae.")
    verbs: list[str] = Field(description="What it can be asked.")
    input: dict[str, Any] = Field(description="Schema of one raw example.")
    latent_dim: int = Field(description="Size of a code.")
    conditions: list[dict[str, Any]] = Field(
        description="What has to be said of an example beside its values."
    )
    scores: list[str] = Field(description="Quantities that score gives.")
    num_samples: int = Field(description="Samples of z per example, where nothing is said.")
    variant: str | None = Field(description="Which graphs of the artifact run, as in fp32, int8.")
    held_out: HeldOut | None = Field(
        description="Scores of held-out examples by this variant, for thresholds."
    )


@final
class Refusal(Spec):
    """What is wrong, where, what was expected, and what to do."""

    error: str = Field(description="In words, for people.")
