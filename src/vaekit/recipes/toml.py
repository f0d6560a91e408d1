"""Recipes as TOML text: what `tomllib` reads, written.

The standard library reads TOML and does not write it. A recipe needs little: tables, texts,
numbers, truth values and lists of those; a table in a list is written on one line.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from vaekit.recipes.recipe import Recipe


def to_toml(recipe: Recipe) -> str:
    """The recipe with every default spelt out; settings that are absent are left out."""
    return "\n".join(_table(recipe.model_dump(mode="json", exclude_none=True))) + "\n"


def _table(table: Mapping[str, Any], path: str = "") -> Iterator[str]:
    keys = sorted(table, key=lambda key: key != "kind")  # the rest as declared
    inner = [key for key in keys if isinstance(table[key], Mapping)]
    if path and (len(inner) < len(keys) or not keys):
        yield f"\n[{path}]"
    yield from (f"{key} = {_value(table[key])}" for key in keys if key not in inner)
    for key in inner:
        yield from _table(table[key], f"{path}.{key}" if path else key)


def _value(value: str | float | bool | list[Any] | Mapping[str, Any]) -> str:
    if isinstance(value, Mapping):
        keys = sorted(value, key=lambda key: key != "kind")
        return f"{{ {', '.join(f'{key} = {_value(value[key])}' for key in keys)} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, str):
        # A TOML text is a JSON text, but for DEL, which has to be escaped as well.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)
