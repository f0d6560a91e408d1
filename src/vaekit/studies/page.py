"""Pages whose tables are computed.

A page has marked blocks, each between two comments, whose content a study writes:

    <!-- begin verdicts -->
    ...
    <!-- end verdicts -->
"""

import re
from collections.abc import Mapping
from pathlib import Path

from vaekit.errors import DataError
from vaekit.runs.folder import write


def fill(file: Path, blocks: Mapping[str, str]) -> Path:
    """Writes blocks into a page on disk; returns where it is.

    Raises:
        DataError: There is no such page, or it has no place for a block.
    """
    if not file.is_file():
        raise DataError("There is no page to fill.", where=file, expected="a Markdown file")
    write(file, filled(file.read_text(encoding="utf-8"), blocks, str(file)))
    return file


def filled(page: str, blocks: Mapping[str, str], where: str = "the page") -> str:
    """The page with the content of its blocks.

    Raises:
        DataError: A block is missing.
    """
    for name, content in blocks.items():
        begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        if not pattern.search(page):
            raise DataError(
                "A page has no place for a table.", where=where, expected=f"{begin} ... {end}"
            )
        text = f"{begin}\n\n{content}\n\n{end}"
        page = pattern.sub(lambda _, text=text: text, page)
    return page
