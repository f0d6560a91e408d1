"""The part of a model card that is about its ONNX graphs: which variants, and what they cost."""

import re
from typing import Final

from vaekit.artifacts import Exported, Variant

TITLE: Final = "## ONNX"
_SECTION: Final = re.compile(rf"^{TITLE}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_BEFORE: Final = "## Files\n"


def with_variants(card: str, exported: Exported) -> str:
    """A card that tells of graphs, in the place of what it told of earlier ones.

    Args:
        card: In Markdown.
        exported: What is known of the graphs.
    """
    plain = _SECTION.sub("", card)
    before, found, after = plain.partition(_BEFORE)
    if not found:
        return f"{plain.rstrip()}\n\n{_section(exported)}"
    return f"{before}{_section(exported)}\n{found}{after}"


def _section(exported: Exported) -> str:
    rows = [_row(name, variant) for name, variant in exported.variants.items()]
    first = next(iter(exported.variants))
    left_out = "".join(f" No `{v}`: {why}." for v, why in exported.not_exported.items())
    score = next(iter(exported.variants[first].reference.scores))
    columns = (
        "Variant",
        "Weights",
        "KiB",
        "Error to torch",
        f"Lowest 1 % of `{score}`",
        "Its change",
    )
    table = "\n".join(f"| {' | '.join(row)} |" for row in (columns, ["---"] * len(columns), *rows))
    return f"""{TITLE}

`onnx/` holds graphs in opset {exported.opset}, which run without torch.{left_out} Compared on \
{exported.examples:,} examples of the {exported.split} split. Thresholds belong to a variant: each \
has a `reference` of its own in `onnx/export.json`.

{table}

```python
from vaekit.runtime import open_runtime

model = open_runtime("path/of/this/folder", variant="{first}")
```
"""


def _row(name: str, variant: Variant) -> tuple[str, ...]:
    """Of the first score, which is the bound where there is one."""
    errors = [error for graph in variant.graphs.values() for error in graph.parity.values()]
    quantity, known = next(iter(variant.reference.scores.items()))
    change = variant.score_change.get(quantity)
    return (
        name,
        variant.weights,
        f"{variant.bytes / 1024:.0f}",
        f"{max(errors):.1e}" if errors else "rounded",
        f"{known.quantiles['0.01']:.5g}",
        "" if change is None else f"{change.mean:+.2g} on average",
    )
