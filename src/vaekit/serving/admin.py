"""`/admin`: what is served is changed in the folder of models, where every process sees it.

A version is opened and tried before an alias points to it, so that what is refused is refused
here, and not by the processes that follow.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, final

from fastapi import APIRouter, Request
from pydantic import Field, ValidationError

from vaekit.errors import ArtifactError, SpecError
from vaekit.serving.body import BodyLimits, parsed
from vaekit.serving.documentation import refusals
from vaekit.serving.exchange import body_of
from vaekit.serving.follower import Follower
from vaekit.serving.refusals import ConflictError
from vaekit.serving.sources import ModelFolder
from vaekit.spec import Spec

_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["version"],
                    "properties": {
                        "version": {"type": "string", "description": "That lies in the folder."}
                    },
                }
            }
        },
    }
}


@final
class State(Spec):
    """What this process serves, and what it refused."""

    served: dict[str, dict[str, str]] = Field(description="Versions by model and alias.")
    artifacts: dict[str, dict[str, str]] = Field(description="sha256 by model and version.")
    available: dict[str, list[str]] = Field(
        description="Versions that lie in the folder, by model."
    )
    refused: dict[str, str] = Field(description="Why, by model and version.")


@final
class _Pointed(Spec):
    version: str


@final
class Admin:
    """Routes under `/admin`.

    Args:
        follower: Keeps what is served.
    """

    def __init__(self, follower: Follower) -> None:
        self._follower = follower
        self.router = APIRouter(prefix="/admin", tags=["admin"])
        alias = "/models/{name}/aliases/{alias}"
        rollback = "/models/{name}/rollback"
        self._add("GET", "/models", self._show, "What is served here, and what was refused.")
        self._add("PUT", alias, self._point, "Makes an alias point to a version.", _BODY)
        self._add("DELETE", alias, self._remove, "Takes an alias away.")
        self._add("POST", rollback, self._roll_back, "Makes the previous version live again.")

    def _add(
        self,
        method: str,
        path: str,
        answer: Callable[..., Awaitable[State]],
        words: str,
        body: dict[str, Any] | None = None,
    ) -> None:
        changes = () if method == "GET" else (404, 409, 422)
        taken = () if body is None else (400, 408, 413, 415)
        self.router.add_api_route(
            path,
            answer,
            methods=[method],
            summary=words,
            operation_id=f"admin{answer.__name__}",
            response_model=State,
            responses=refusals(*sorted((401, 403, 429, 503, *changes, *taken))),
            openapi_extra=body,
        )

    async def _show(self) -> State:
        """What this process serves, and what it refused."""
        return self._state()

    async def _point(self, name: str, alias: str, request: Request) -> State:
        """Makes an alias point to a version. The alias `live` is what answers."""
        folder = self._folder()
        body = await body_of(request.scope, request.receive, BodyLimits(size_bytes=4096))
        version = _version(parsed(body, BodyLimits()))
        found = folder.versions(name).get(version) if name in folder.names() else None
        if found is not None:
            try:
                await self._follower.check(found)
            except ArtifactError as error:
                raise ConflictError(
                    f"The version {version} of {name} is refused; nothing was changed.",
                    found=str(error),
                ) from error
        folder.point(name, alias, version)
        return await self._followed()

    async def _remove(self, name: str, alias: str) -> State:
        """Takes an alias away; a version without one is not served any more."""
        self._folder().remove(name, alias)
        return await self._followed()

    async def _roll_back(self, name: str) -> State:
        """Makes the previous version live again."""
        self._folder().roll_back(name)
        return await self._followed()

    def _folder(self) -> ModelFolder:
        if isinstance(self._follower.source, ModelFolder):
            return self._follower.source
        raise ConflictError(
            "One artifact is served here: there is nothing to change.",
            remedy="serve a folder MODELS/NAME/versions/VERSION",
        )

    async def _followed(self) -> State:
        await self._follower.follow()
        return self._state()

    def _state(self) -> State:
        source, picture = self._follower.source, self._follower.models.picture
        available: dict[str, list[str]] = {}
        if isinstance(source, ModelFolder):
            available = {name: list(source.versions(name)) for name in source.names()}
        return State(
            served={name: dict(model.aliases) for name, model in picture.items()},
            artifacts={
                name: {version: served.digest for version, served in model.versions.items()}
                for name, model in picture.items()
            },
            available=available,
            refused=self._follower.problems,
        )


def _version(document: Mapping[str, Any]) -> str:
    try:
        return _Pointed.model_validate(document).version
    except ValidationError:
        raise SpecError("The body does not fit.", expected='{"version": "2"}') from None
