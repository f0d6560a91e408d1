"""vaekit trains, measures and runs variational autoencoders.

What is public is imported when it is first used: `import vaekit` itself needs no torch.
"""

import importlib
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vaekit.export import load
    from vaekit.recipes import Recipe, load_recipe
    from vaekit.runs import Run, open_run, train

__version__ = version("vaekit")

_HOMES = {
    "Recipe": "vaekit.recipes",
    "Run": "vaekit.runs",
    "load": "vaekit.export",
    "load_recipe": "vaekit.recipes",
    "open_run": "vaekit.runs",
    "train": "vaekit.runs",
}

__all__ = ["Recipe", "Run", "__version__", "load", "load_recipe", "open_run", "train"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'vaekit' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, *globals()])
