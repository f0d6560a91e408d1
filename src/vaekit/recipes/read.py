"""Reading recipes: by name or from a file, with settings from the command line on top."""

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import ValidationError

from vaekit.errors import SpecError
from vaekit.recipes.explain import default_kinds, explained, wrong_keys
from vaekit.recipes.recipe import Recipe

Tree: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[str, ...]


def recipe_names() -> list[str]:
    """The recipes that come with vaekit."""
    files = resources.files("vaekit.recipes").iterdir()
    return sorted(f.name.removesuffix(".toml") for f in files if f.name.endswith(".toml"))


def load_recipe(source: str | Path, settings: Sequence[str] = ()) -> Recipe:
    """Reads a recipe.

    Args:
        source: Name of a recipe that comes with vaekit, or the path of a TOML file.
        settings: Changes such as ``"training.epochs=5"``; the value is TOML, or else a text.

    Raises:
        SpecError: Naming the file, the key and the nearest valid one.

    Example:
        >>> load_recipe("digits", ["training.epochs=5"]).training.epochs
        5
    """
    text, name, where = _text(source)
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(
            "A recipe is not valid TOML.",
            where=where,
            found=error,
            remedy="texts need quotes; tables look like [training]",
        ) from error
    tree.setdefault("name", name)
    chosen: dict[Key, Any] = {}
    for setting in settings:
        key, value = _parsed(setting)
        chosen[key] = value
        _put(tree, key, value, setting)
    return _validated(tree, chosen, where)


def _text(source: str | Path) -> tuple[str, str, str]:
    """Text, name and place of a recipe."""
    path = Path(source).expanduser()
    if isinstance(source, str) and path.suffix != ".toml" and len(path.parts) == 1:
        _check_name(source)
        file = resources.files("vaekit.recipes") / f"{source}.toml"
        return file.read_text(encoding="utf-8"), source, f"recipe {source}"
    try:
        return path.read_text(encoding="utf-8"), path.stem, str(path)
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(
            "A recipe cannot be read.",
            where=path,
            expected="a TOML file",
            found=getattr(error, "strerror", None) or error,
            remedy=_near(path.name, [p.name for p in path.parent.glob("*.toml")])
            or f"check the path, or name a recipe of vaekit: {', '.join(recipe_names())}",
        ) from error


def _check_name(name: str) -> None:
    names = recipe_names()
    if name not in names:
        raise SpecError(
            f"There is no recipe {name!r}.",
            expected=f"one of {', '.join(names)}, or a path that ends in .toml",
            found=name,
            remedy=_near(name, names) or "name one of these",
        )


def _near(name: str, names: Sequence[str]) -> str | None:
    near = difflib.get_close_matches(name, names, n=3)
    return f"did you mean {' or '.join(near)}?" if near else None


# -- settings on top -----------------------------------------------------------------------------


def _parsed(setting: str) -> tuple[Key, Any]:
    path, equals, text = setting.partition("=")
    key = tuple(part.strip() for part in path.split("."))
    if not equals or not all(key):
        raise SpecError(
            "A setting cannot be read.",
            where=f"--set {setting}",
            expected="path=value, as in training.epochs=5",
            found=setting,
        )
    try:
        return key, tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return key, text.strip()


def _put(tree: Tree, key: Key, value: Any, setting: str) -> None:
    for depth, part in enumerate(key[:-1], start=1):
        tree = tree.setdefault(part, {})
        if not isinstance(tree, dict):
            name, is_list = ".".join(key[:depth]), isinstance(tree, list)
            raise SpecError(
                f"The setting {name} is a {'list' if is_list else 'single value'} here "
                "and has no parts.",
                where=f"--set {setting}",
                found=f"{name} = {tree!r}",
                remedy=f"set the whole of {name}" if is_list else f"set {name}.kind first",
            )
    tree[key[-1]] = value


def _validated(tree: Tree, chosen: dict[Key, Any], where: str) -> Recipe:
    """Validates; a table that does not say its kind is of the default one.

    Where a setting chose another `kind`, what fitted only the old one is dropped.
    """
    while True:
        try:
            return Recipe.model_validate(tree)
        except ValidationError as error:
            kinds = default_kinds(error)
            for key, kind in kinds.items():
                _table(tree, key)["kind"] = kind
            dropped = [_drop(tree, key) for key in _obsolete(wrong_keys(error), chosen)]
            if not kinds and not any(dropped):
                raise explained(error, where) from error


def _obsolete(wrong: Sequence[Key], chosen: Mapping[Key, Any]) -> set[Key]:
    """Keys that are wrong because the kind of their table was changed."""
    changed = [key[:-1] for key in chosen if key[-1] == "kind"]
    keys = {
        key[: len(table) + 1]
        for key in wrong
        for table in changed
        if key[: len(table)] == table and len(key) > len(table)
    }
    return {key for key in keys if not any(given[: len(key)] == key for given in chosen)}


def _drop(tree: Tree, key: Key) -> bool:
    """Whether there was something to drop."""
    return _table(tree, key[:-1]).pop(key[-1], None) is not None


def _table(tree: Tree, key: Key) -> Tree:
    for part in key:
        tree = tree[part]
    return tree
