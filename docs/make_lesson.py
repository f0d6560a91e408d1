"""Writes the pages and pictures of lesson/, beside this file: `make docs`.

The words are in lesson/templates, the numbers come from vaekit.lesson by way of lesson_pages.
Nothing on a page that was computed is written by hand, and tests/lesson/test_pages.py makes the
pages anew.
"""

from pathlib import Path
from typing import Final

import jinja2
from lesson_pages import FIGURES, NUMBERS
from lesson_pages.fold import fold
from matplotlib.figure import Figure

from vaekit.figures import save
from vaekit.lesson import put_in

HERE: Final = Path(__file__).parent / "lesson"
HEADER: Final = (
    "<!-- Written by `make docs`; change lesson/templates or src/vaekit/lesson instead. -->\n\n"
)


def pages() -> dict[str, str]:
    """Every page, by the name of its file."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(put_in=put_in, fold=fold)
    return {
        file: HEADER + environment.get_template(f"{file}.jinja").render(numbers())
        for file, numbers in NUMBERS.items()
    }


def figures() -> dict[str, Figure]:
    """Every picture, by the name of its file."""
    return {file: draw() for file, draw in FIGURES.items()}


if __name__ == "__main__":
    for file, text in pages().items():
        (HERE / file).write_text(text, encoding="utf-8")
    for file, figure in figures().items():
        save(figure, HERE / "images" / file)
