"""From the content of a report to one HTML file.

The page asks nothing of the network: style and figures are inside. It needs no script, and
reads on a phone, in print and by ear.
"""

import base64
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from vaekit.figures.report import rows
from vaekit.figures.report.content import DataCard, Picture, Report
from vaekit.figures.report.numbers import duration, is_number
from vaekit.figures.save import encoded
from vaekit.schema import protocol_in_words

_DOTS_PER_INCH = 96  # of a page


class Embedded(NamedTuple):
    """A picture as the page takes it."""

    picture: Picture
    source: str
    width: int
    """In pixels of the page."""
    height: int


def report_page(content: Report) -> str:
    """The report as one HTML file."""
    results = content.results
    return _template().render(
        report=content,
        style=report_style(),
        summary=rows.summary(results),
        measures=rows.all_measures(results),
        annealed=rows.annealed(results),
        thresholds=rows.active_by_threshold(results),
        layers=rows.kl_by_layer(results),
        notes=[str(note) for note in results.get("notes") or ()],
        measured_on=_measured_on(content),
        protocol=list(_protocol(results)),
        data=list(_data_facts(content.data)),
        provenance=list(_flat(content.provenance)),
        pictures=[embedded(picture) for picture in content.pictures],
    )


def report_style() -> Markup:
    """The style sheet of a report."""
    return Markup(_file("report.css"))


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals["breakable"] = _breakable
    return environment.from_string(_file("report.html.jinja"))


def _breakable(key: str) -> Markup:
    """A key that a narrow column may break behind its underscores."""
    return Markup("_<wbr>").join(key.split("_"))


def _file(name: str) -> str:
    return resources.files("vaekit.figures.report").joinpath(name).read_text(encoding="utf-8")


def _measured_on(content: Report) -> str:
    """Which examples the summary is of, in words."""
    split, examples = content.results.get("split"), content.results.get("examples")
    data = content.results.get("data", content.data.name)
    counted = f"{examples:,} " if is_number(examples) else ""
    protocol = content.results.get("binarization")
    shown = "" if protocol is None else f", {protocol_in_words(protocol)}"
    return f"{counted}{split or 'held-out'} examples of {data}{shown}"


# -- tables of facts ---------------------------------------------------------------------------


def _protocol(results: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Under which conditions the numbers hold."""
    examples, split = results.get("examples"), results.get("split")
    if split is not None:
        count = f", {examples:,} examples" if is_number(examples) else ""
        yield "measured on", f"{split} split{count}"
    names = {
        "data": "data",
        "data_split": "division of the data",
        "num_samples": "importance samples k",
        "seed": "seed of the evaluation",
    }
    if results.get("binarization") is not None:
        name, _, value = protocol_in_words(results["binarization"]).partition(" ")
        yield name, value
    for key, name in names.items():
        if results.get(key) is not None:
            yield name, str(results[key])
    for key, name in (("training_seconds", "training"), ("evaluation_seconds", "evaluation")):
        if is_number(results.get(key)):
            yield f"{name} took", duration(results[key])


def _data_facts(card: DataCard) -> Iterator[tuple[str, str]]:
    yield "name", card.name
    yield "source", card.source
    if card.licence is not None:
        yield "licence", card.licence
    sizes = (f"{size:,} {name}" for name, size in card.split_sizes.items())
    yield "examples", ", ".join(sizes)
    yield "division", card.split_name
    yield "shape of one", " x ".join(map(str, card.shape))
    yield "values", card.values
    if card.num_classes is not None:
        yield "classes", str(card.num_classes)
    if card.attributes:
        yield "attributes", ", ".join(card.attributes)
    yield "fingerprint", card.fingerprint


def _flat(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        name = f"{path}{key}".replace("_", " ")
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name}: ")
        elif value is not None:
            yield name, str(value)


# -- pictures ----------------------------------------------------------------------------------


def embedded(picture: Picture) -> Embedded:
    """Drawings stay lines, which print well; what holds images becomes one."""
    is_drawing = not any(ax.images for ax in picture.figure.axes)
    kind = "svg+xml" if is_drawing else "png"
    content = encoded(picture.figure, ".svg" if is_drawing else ".png")
    source = f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
    width, height = picture.figure.get_size_inches() * _DOTS_PER_INCH
    return Embedded(picture, source, round(width), round(height))
