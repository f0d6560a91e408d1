"""Long sentences as lines of a page."""

import textwrap


def fold(text: str, first: int = 0) -> str:
    """Lines of a page, none longer than 110 characters.

    Args:
        text: Words.
        first: How much of the first line is taken already.
    """
    lines = textwrap.fill(
        text, 110, initial_indent=" " * first, break_long_words=False, break_on_hyphens=False
    )
    return lines.lstrip()
