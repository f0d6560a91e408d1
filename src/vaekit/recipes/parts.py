"""Everything that a recipe can choose from, read off the recipe itself."""

import inspect
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel

from vaekit.recipes.recipe import Recipe


class Part(NamedTuple):
    """One thing that can be chosen."""

    kind: str
    title: str
    """What it is, in a line."""


def parts() -> dict[str, list[Part]]:
    """The kinds that can be chosen, by the settings that choose them.

    Example:
        >>> [part.kind for part in parts()["model"]][:3]
        ['vae', 'hierarchical_vae', 'ladder_vae']
    """
    offered: dict[str, dict[type[BaseModel], None]] = {}
    for setting, choices in _choices(Recipe, ""):  # which choices there are may depend on the model
        offered.setdefault(setting, {}).update(dict.fromkeys(choices))
    named: dict[tuple[type[BaseModel], ...], list[str]] = {}
    for setting, all_choices in offered.items():
        named.setdefault(tuple(all_choices), []).append(setting)
    return {
        ", ".join(names): [Part(str(kind_of(choice)), _title(choice)) for choice in choices]
        for choices, names in named.items()
    }


def _choices(spec: type[BaseModel], path: str) -> Iterator[tuple[str, tuple[type[BaseModel], ...]]]:
    for name, field in spec.model_fields.items():
        choices = tuple(specs_in(field.annotation))
        setting = f"{path}.{name}" if path else name
        if choices and all(kind_of(choice) for choice in choices):
            yield setting, choices
        for choice in choices:
            yield from _choices(choice, setting)


def _title(spec: type[BaseModel]) -> str:
    """The first sentence about the file that the spec is in, or about the spec itself."""
    module = sys.modules[spec.__module__]
    kinds = {kind_of(c) for _, c in inspect.getmembers(module, _is_chosen_in(module.__name__))}
    text = (module.__doc__ if len(kinds) == 1 else spec.__doc__) or ""
    return text.split("\n\n")[0].replace("\n", " ").strip().removesuffix(".")


def _is_chosen_in(module: str) -> Any:
    return lambda member: (
        isinstance(member, type)
        and issubclass(member, BaseModel)
        and member.__module__ == module
        and kind_of(member) is not None
    )


def kind_of(spec: type[BaseModel]) -> str | None:
    """The `kind` that chooses a spec, where it is one of several."""
    field = spec.model_fields.get("kind")
    return field.default if field is not None and isinstance(field.default, str) else None


def specs_in(annotation: Any) -> list[type[BaseModel]]:
    """The specs that a field can hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [spec for part in get_args(annotation) for spec in specs_in(part)]
