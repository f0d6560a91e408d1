"""Puts the tables of verdicts into studies/dynamics.md, from the results beside it: `make docs`."""

from pathlib import Path

from vaekit.studies.dynamics import committed_tables

STUDIES = Path(__file__).with_name("studies")
PAGE = STUDIES / "dynamics.md"
BEGIN, END = "<!-- tables: written by `make docs` -->", "<!-- end of the tables -->"


def page() -> str:
    """The page with the tables that follow from the committed results."""
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{committed_tables(STUDIES / 'dynamics')}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
