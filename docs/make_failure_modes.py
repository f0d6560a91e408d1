"""Writes failure_modes.md, beside this file, from failure_modes.json: `make docs`.

Given the file that `vaekit diagnose --prove` wrote, that becomes failure_modes.json first.
"""

import json
import sys
from pathlib import Path

from vaekit.diagnosis import failure_modes_page

HERE = Path(__file__).parent


def page() -> str:
    """The page, from the committed numbers."""
    numbers = json.loads((HERE / "failure_modes.json").read_text(encoding="utf-8"))
    return failure_modes_page(numbers)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        fresh = Path(sys.argv[1]).read_text(encoding="utf-8")
        (HERE / "failure_modes.json").write_text(fresh, encoding="utf-8")
    (HERE / "failure_modes.md").write_text(page(), encoding="utf-8")
