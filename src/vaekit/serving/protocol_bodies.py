"""What the Open Inference Protocol takes and gives, as it is documented in OpenAPI.

Bodies are taken apart in `inference`, without these classes: of a large tensor nothing is looked
at one by one.
"""

from typing import Any, TypeAlias, final

from pydantic import Field

from vaekit.serving.tensors import DATATYPES
from vaekit.spec import Spec

_SHAPE = "Of the array; -1 where a caller says how many."
_DATATYPE: Any = {"enum": list(DATATYPES)}
Numbers: TypeAlias = Any


@final
class TensorParameters(Spec):
    """Of a tensor that goes in as bytes."""

    binary_data_size: int | None = Field(
        default=None, ge=0, description="Bytes of the tensor, which follow the JSON."
    )


@final
class Tensor(Spec):
    """An array that goes in."""

    name: str = Field(description="x, z for decode, or the name of a condition.")
    shape: list[int] = Field(description="Of the array; its first side counts examples.")
    datatype: str = Field(description="Of its values.", json_schema_extra=_DATATYPE)
    data: Numbers = Field(
        default=None,
        description="Values, flat or nested; left out where they come as bytes.",
        json_schema_extra={"type": "array", "items": {}},
    )
    parameters: TensorParameters | None = Field(default=None, description="Of binary tensors.")


@final
class Wanted(Spec):
    """An output that is wanted."""

    name: str = Field(description="As metadata say.")
    parameters: dict[str, bool] | None = Field(
        default=None, description="binary_data: whether it is to come as bytes."
    )


@final
class InferRequest(Spec):
    """What a model is asked."""

    id: str | None = Field(default=None, max_length=256, description="Comes back in the answer.")
    parameters: dict[str, Any] | None = Field(
        default=None,
        description="seed; num_samples (score), n and temperature (sample); conditions by name; "
        "timeout in microseconds; binary_data_output.",
    )
    inputs: list[Tensor] = Field(default=[], description="None for sample.")
    outputs: list[Wanted] | None = Field(
        default=None, description="Which outputs are wanted; all of them, where absent."
    )


@final
class OutputTensor(Spec):
    """An array that comes out."""

    name: str = Field(description="x, z, or a score's.")
    datatype: str = Field(description="Of its values.", json_schema_extra=_DATATYPE)
    shape: list[int] = Field(description="Its first side counts examples.")
    data: list[float | None] | None = Field(
        default=None, description="Flat; null where one is no finite number."
    )
    parameters: dict[str, int] | None = Field(
        default=None, description="binary_data_size, where the values follow as bytes."
    )


@final
class InferResponse(Spec):
    """What a model answers."""

    model_name: str = Field(description="Who answered.")
    model_version: str = Field(description="Which version of it did.")
    id: str | None = Field(default=None, description="As it was asked.")
    outputs: list[OutputTensor] = Field(description="In the order in which they were wanted.")


@final
class TensorMetadata(Spec):
    """What an array looks like."""

    name: str = Field(description="By which it is handed in, or comes out.")
    datatype: str = Field(description="Of its values.", json_schema_extra=_DATATYPE)
    shape: list[int] = Field(description=_SHAPE)


@final
class ModelMetadata(Spec):
    """What there is to know of a model before asking it."""

    name: str = Field(description="The model and its verb.")
    versions: list[str] = Field(description="That are served.")
    platform: str = Field(description="Is vaekit.")
    inputs: list[TensorMetadata] = Field(description="What it takes, conditions included.")
    outputs: list[TensorMetadata] = Field(description="What it gives.")


@final
class ModelReady(Spec):
    """Whether a model answers."""

    name: str = Field(description="The model and its verb.")
    ready: bool = Field(description="Whether it is.")


@final
class ServerMetadata(Spec):
    """What the server is."""

    name: str = Field(description="Is vaekit.")
    version: str = Field(description="Of vaekit.")
    extensions: list[str] = Field(description="Of the protocol, that are spoken here.")


@final
class Live(Spec):
    """Whether the process is there."""

    live: bool = Field(description="Is true.")


@final
class Ready(Spec):
    """Whether every model has a live version that answers."""

    ready: bool = Field(description="Whether they are.")


@final
class IndexEntry(Spec):
    """A version of a model."""

    name: str = Field(description="The model and its verb.")
    version: str = Field(description="Of the model.")
    state: str = Field(description="READY or UNAVAILABLE.")
    reason: str = Field(description="Is empty.")
