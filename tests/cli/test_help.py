"""Help reads well at the width of the terminal."""

import pytest
import typer
from typer.testing import CliRunner

from vaekit.cli.main import app


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_paragraphs_fill_the_width(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    text = CliRunner().invoke(app, ["sweep", "--help"]).output
    paragraph = text[text.index("The same command") : text.index("vaekit sweep mnist")]
    *lines, _last = [line.strip() for line in paragraph.strip().split("\n")]
    longest_word = max(map(len, paragraph.split()))
    assert lines
    assert all(len(line) > columns - 3 - longest_word for line in lines)


def test_every_command_says_what_it_is_for() -> None:
    def helps(of: typer.Typer) -> list[str | None]:
        groups = [group.typer_instance for group in of.registered_groups]
        inside = [text for group in groups if group is not None for text in helps(group)]
        return [*(command.help for command in of.registered_commands), *inside]

    found = helps(app)
    assert len(found) > 25
    assert all(found)
