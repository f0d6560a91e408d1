"""Recipes: what a person chose, as one validated tree; and the ones that come with vaekit."""

from vaekit.recipes.parts import Part, parts
from vaekit.recipes.read import load_recipe, recipe_names
from vaekit.recipes.recipe import Recipe
from vaekit.recipes.toml import to_toml

__all__ = ["Part", "Recipe", "load_recipe", "parts", "recipe_names", "to_toml"]
