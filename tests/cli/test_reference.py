"""docs/cli.md says what the commands say."""

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_reference_is_up_to_date() -> None:
    written = runpy.run_path(str(DOCS / "make_cli_reference.py"))["reference"]()
    assert (DOCS / "cli.md").read_text(encoding="utf-8") == written, "run `make docs`"
