"""Recipes: what a person chose, as one validated tree; and the ones that come with vaekit."""

from vaekit.recipes.benchmark import (
    Benchmark,
    EntrySpec,
    ProtocolSpec,
    benchmark_names,
    entry_recipe,
    load_benchmark,
)
from vaekit.recipes.parts import Part, parts
from vaekit.recipes.read import load_recipe, recipe_names
from vaekit.recipes.recipe import Recipe
from vaekit.recipes.toml import to_toml

__all__ = [
    "Benchmark",
    "EntrySpec",
    "Part",
    "ProtocolSpec",
    "Recipe",
    "benchmark_names",
    "entry_recipe",
    "load_benchmark",
    "load_recipe",
    "parts",
    "recipe_names",
    "to_toml",
]
