"""What is wrong with a recipe, or another file of settings, in the words of its reader."""

import difflib
from typing import Any, Final, NamedTuple, TypeAlias

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from vaekit.errors import SpecError
from vaekit.recipes.parts import kind_of, specs_in
from vaekit.recipes.recipe import Recipe

Key: TypeAlias = tuple[str, ...]

FORMS: Final = {
    "tuple_type": "a list in brackets",
    "model_type": "a table",
    "model_attributes_type": "a table, such as { kind = ... }",
}
"""What TOML calls the form that pydantic missed."""


def explained(error: ValidationError, where: str, root: type[BaseModel] = Recipe) -> SpecError:
    """The first mistake in full, and where the others are; `root` is what was validated."""
    first, *others = error.errors()
    place = _place(first, root)
    name = _name(place.key)
    problem, expected, found, remedy = _mistake(first, name, place.siblings)
    if others:
        also = ", ".join(dict.fromkeys(_name(_place(other, root).key) for other in others))
        remedy = f"{remedy or f'correct {name}'}; then look at {also}"
    where = f"{where}, key {name}" if name else where
    return SpecError(problem, where=where, expected=expected, found=found, remedy=remedy)


def wrong_keys(error: ValidationError) -> list[Key]:
    """The keys of everything that is wrong."""
    return [_place(e).key for e in error.errors()]


def default_kinds(error: ValidationError) -> dict[Key, str]:
    """Tables that do not say which kind they are, and the kind they would be by default."""
    places = [_place(e) for e in error.errors() if e["type"] == "union_tag_not_found"]
    return {place.key: place.default.kind for place in places if hasattr(place.default, "kind")}


def _name(key: Key) -> str:
    """A key as its reader writes it, such as trackers[0].folder."""
    parts = (f"[{part}]" if part.isdigit() else f".{part}" for part in key)
    return "".join(parts).removeprefix(".")


def _mistake(
    error: ErrorDetails, name: str, siblings: list[str]
) -> tuple[str, str | None, str | None, str | None]:
    """Problem, expected, found and remedy."""
    kind, found, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(name.rpartition(".")[2], siblings, n=3)
        remedy = f"did you mean {' or '.join(near)}?" if near else "remove it"
        return f"There is no setting {name}.", f"one of {', '.join(siblings)}", None, remedy
    if kind == "missing":
        return f"The setting {name} is missing.", "a value", None, f"add {name}"
    if kind == "union_tag_not_found":
        return f"The table {name} does not say which kind.", "a key 'kind'", None, "add kind = ..."
    if kind == "union_tag_invalid":
        tags = context["expected_tags"].replace("'", "").split(", ")
        return _no_such_kind(name, context["tag"], tags)
    if kind == "literal_error" and name.endswith(".kind"):
        tag = context["expected"].strip("'")
        return _no_such_kind(name.removesuffix(".kind"), str(found), [tag])
    if kind == "value_error":
        return f"{name}: {context['error']}.", None, None, None
    message = FORMS.get(kind) or error["msg"].removeprefix("Input should be ")
    return f"The setting {name} cannot be used.", message, repr(found)[:200], None


def _no_such_kind(name: str, tag: str, tags: list[str]) -> tuple[str, str, str, str | None]:
    """Problem, expected, found and remedy where a part is of no kind that can stand there."""
    problem, expected = f"There is no {name} of kind {tag!r}", f"one of {', '.join(tags)}"
    elsewhere = _models_with(name, tag)
    if elsewhere:
        remedy = f"choose one of those, or model.kind = {' or '.join(map(repr, elsewhere))}"
        return f"{problem} for this model.", expected, tag, remedy
    near = difflib.get_close_matches(tag, tags, n=3)
    remedy = f"did you mean {' or '.join(near)}?" if near else None
    return f"{problem}.", expected, tag, remedy


def _models_with(name: str, tag: str) -> list[str]:
    """The kinds of models of which a part can be of a kind."""
    room, _, part = name.rpartition(".")
    models = specs_in(Recipe.model_fields["model"].annotation) if room == "model" else []
    fields = [(model, model.model_fields.get(part)) for model in models]
    return [
        str(kind_of(model))
        for model, field in fields
        if field is not None and tag in map(kind_of, specs_in(field.annotation))
    ]


class _Place(NamedTuple):
    """Where in a recipe a mistake is."""

    key: Key
    """As the reader wrote it."""
    siblings: list[str]
    """The keys that could stand there."""
    default: Any
    """What it would be if nothing were written."""


def _place(error: ErrorDetails, root: type[BaseModel] = Recipe) -> _Place:
    """Follows pydantic's location, which also has the kinds that were chosen on the way."""
    key: list[str] = []
    choices: list[type[BaseModel]] = [root]
    siblings: list[str] = []
    default = None
    for part in error["loc"]:
        tagged = [choice for choice in choices if kind_of(choice) == part]
        if len(choices) > 1 and tagged:
            choices = tagged
            siblings = []
            continue
        if isinstance(part, int):  # an entry of a list, which has the choices of the list
            key.append(str(part))
            siblings, default = [], None
            continue
        siblings = sorted({name for choice in choices for name in choice.model_fields})
        key.append(str(part))
        fields = [choice.model_fields[part] for choice in choices if part in choice.model_fields]
        default = fields[0].default if fields else None
        choices = [model for field in fields for model in specs_in(field.annotation)]
    return _Place(tuple(key), siblings, default)
