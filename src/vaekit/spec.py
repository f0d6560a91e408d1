"""What every choice a person makes has in common.

A spec is a frozen value with real defaults. Unknown keys are errors, because a misspelt
setting that is silently ignored is the most expensive kind of mistake.
"""

from pydantic import BaseModel, ConfigDict


class Spec(BaseModel):
    """Base of every spec: frozen, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
