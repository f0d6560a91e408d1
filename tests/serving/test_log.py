"""Lines of the log."""

import io
import json
import os
from pathlib import Path

from vaekit.serving.log import Log


def test_every_line_is_one_json_object() -> None:
    written = io.StringIO()
    log = Log(written.write)
    log.write("info", "loaded", model="a\nb", where=Path("c"), nothing=None)
    log.write("error", "refused", what=os.fsdecode(b"\xff.json"))  # a name that is no Unicode
    first, second = map(json.loads, written.getvalue().splitlines())
    assert (first["model"], first["where"]) == ("a\nb", "c")
    assert "nothing" not in first
    assert os.fsencode(second["what"]) == b"\xff.json"
