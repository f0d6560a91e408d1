"""`serving.json`: what whoever runs a model must know, without building it.

In a shape, "examples" stands for however many a caller sends, and "samples" for however many are
drawn of each.
"""

from typing import Any, Final, Literal, TypeAlias, final

from pydantic import ConfigDict, Field

from vaekit.condition import Condition
from vaekit.schema import Schema
from vaekit.spec import Spec

FORMAT_VERSION: Final = 1

Shape: TypeAlias = tuple[int | Literal["examples", "samples"], ...]


@final
class Port(Spec):
    """One array that goes in or comes out."""

    shape: Shape
    dtype: str


@final
class NoiseShape(Spec):
    """Standard noise that one stochastic layer consumes, for one sample of one example."""

    name: str
    shape: tuple[int, ...]
    kind: Literal["normal", "uniform"]


@final
class TransformFacts(Spec):
    """How raw values become what the model sees."""

    kind: str
    protocol: str = Field(description="What is printed beside numbers.")
    is_random: bool = Field(description="Whether training drew anew at every presentation.")
    presentation: Literal["expectation"] = Field(
        default="expectation", description="What the model is shown of a raw example here."
    )
    choices: dict[str, Any] = Field(description="The transform's settings.")
    constants: dict[str, Any] = Field(description="What it learned from the training split.")


@final
class ScoreProtocol(Spec):
    """How `score` draws, so that two programs get the same numbers."""

    num_samples: int = Field(default=50, ge=1, description="Samples k per example by default.")
    seed: int = 0
    noise: str = Field(
        default="one draw for all examples; 64-bit PCG keyed by (seed, purpose, name), Box-Muller",
        description="What vaekit.runtime.standard_noise does.",
    )


@final
class Serving(Spec):
    """Everything in `serving.json`."""

    model_config = ConfigDict(populate_by_name=True)

    format_version: int
    vaekit: str = Field(description="Version that wrote the artifact.")
    name: str
    description: str = ""
    form: Schema = Field(  # BaseModel has a method `schema`
        validation_alias="schema",
        serialization_alias="schema",
        description="What one raw example looks like.",
    )
    inputs: dict[str, Port]
    outputs: dict[str, dict[str, Port]] = Field(description="By verb.")
    latent_dim: int
    transform: TransformFacts
    conditions: tuple[Condition, ...] = Field(
        default=(), description="What has to be said of an example beside its values."
    )
    model_kind: str
    parameters: int = Field(description="Number of trained weights.")
    facts: dict[str, Any] = Field(description="What the model declares about itself.")
    noise: tuple[NoiseShape, ...] = Field(description="What scores consume.")
    sample_noise: tuple[NoiseShape, ...] | None = Field(
        default=None, description="What sampling consumes; as for scores, where absent."
    )
    scores: tuple[str, ...] = Field(description="Quantities that `score` gives.")
    score_protocol: ScoreProtocol = ScoreProtocol()

    @property
    def has_density(self) -> bool:
        """Whether the model has a prior and a likelihood of x."""
        return bool(self.facts["has_density"])

    @property
    def needs_conditions(self) -> bool:
        """Whether something has to be said of an example; else the model finds it out."""
        return any(not condition.optional for condition in self.conditions)

    @property
    def noise_of_samples(self) -> tuple[NoiseShape, ...]:
        """What one draw from the prior consumes."""
        return self.noise if self.sample_noise is None else self.sample_noise

    @property
    def is_discrete(self) -> bool:
        """Whether there is nothing between two codes."""
        return self.facts.get("latent", "continuous") == "discrete"
