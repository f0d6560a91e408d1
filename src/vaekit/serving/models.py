"""What this process serves now: versions of models, and the names that point to them.

The picture is replaced as a whole, in the event loop. Whoever found a version may go on using
it: it ends after the questions that it has are answered.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias, final

from vaekit.artifacts import ArtifactFolder, Reference, Serving
from vaekit.serving.engine import Engine
from vaekit.serving.refusals import NotServedError

LIVE: Final = "live"
PREVIOUS: Final = "previous"


class About(NamedTuple):
    """What an artifact knows beside the model."""

    folder: ArtifactFolder
    """Verified."""
    reference: Reference
    """Scores and codes of held-out data, as the variant that runs gives them."""
    variant: str | None = None
    """Which of the artifact's variants that is."""


@final
@dataclass(frozen=True, slots=True)
class Served:
    """One version of a model at work.

    Args:
        name: What the model is called here.
        version: What the version is called.
        digest: sha256 of the artifact's list of hashes.
        engine: Answers questions to it.
        about: What is known of it beside the model.
    """

    name: str
    version: str
    digest: str
    engine: Engine
    about: About | None = None

    @property
    def serving(self) -> Serving:
        """What there is to know about it."""
        return self.engine.runtime.serving

    @property
    def verbs(self) -> tuple[str, ...]:
        """What it can be asked."""
        return self.engine.runtime.verbs


@final
@dataclass(frozen=True, slots=True)
class ServedModel:
    """The versions of one model that are at work.

    Args:
        versions: By their name.
        aliases: Names that point to versions: `live` is what is asked where no version is named.
    """

    versions: Mapping[str, Served]
    aliases: Mapping[str, str]

    @property
    def live(self) -> Served | None:
        """Who answers where no version is named."""
        return self.versions.get(self.aliases.get(LIVE, ""))


Picture: TypeAlias = Mapping[str, ServedModel]


@final
class Models:
    """Finds who answers."""

    def __init__(self, picture: Picture = MappingProxyType({})) -> None:
        self.picture = picture

    def find(self, name: str, version: str | None = None) -> Served:
        """A version of a model.

        Args:
            name: Of the model.
            version: A version or an alias; the live one where absent.

        Raises:
            NotServedError: There is none.
        """
        model = self.picture.get(name)
        if model is None:
            known = ", ".join(sorted(self.picture)[:12])
            raise NotServedError(
                f"There is no model {name[:60]!r} here.", expected=known or "no model is served"
            )
        wanted = LIVE if version is None else version
        found = model.versions.get(model.aliases.get(wanted, wanted))
        if found is None:
            raise NotServedError(
                f"The model {name} has no version {wanted[:60]!r} here.",
                expected=", ".join([*model.versions, *model.aliases]),
            )
        return found

    @property
    def is_ready(self) -> bool:
        """Whether every model has a live version that answers."""
        lives = [model.live for model in self.picture.values()]
        return bool(lives) and all(live and live.engine.is_alive for live in lives)
