"""Writes cli.md, beside this file, from the help texts of the commands: `make docs`."""

import textwrap
from collections.abc import Iterator
from pathlib import Path

import typer

from vaekit.cli.main import app

HEADER = "<!-- Written by `make docs`; change the help texts in src/vaekit/cli instead. -->\n\n"


def sections(command, name: str, parent: typer.Context | None = None) -> Iterator[str]:
    """One Markdown section for `command`, then those of the commands under it."""
    context = typer.Context(command, info_name=name, parent=parent)
    depth = len(context.command_path.split())
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    records = (parameter.get_help_record(context) for parameter in command.get_params(context))
    settings = [f"- `{what}`: {' '.join(text.split())}" for what, text in filter(None, records)]
    parts = [
        f"{'#' * depth} {context.command_path}",
        "\n\n".join(_filled(command.help or "")),
        f"```\n{usage}\n```",
        "\n".join(settings),
    ]
    yield "\n\n".join(part for part in parts if part) + "\n"
    if hasattr(command, "list_commands"):
        for verb in command.list_commands(context):
            yield from sections(command.get_command(context, verb), verb, context)


def _filled(text: str) -> Iterator[str]:
    """Paragraphs in lines of at most a hundred characters."""
    for paragraph in text.split("\n\n"):
        yield textwrap.fill(paragraph, 100, break_long_words=False, break_on_hyphens=False)


def reference() -> str:
    """The whole page."""
    return HEADER + "\n".join(sections(typer.main.get_command(app), "vaekit"))


if __name__ == "__main__":
    Path(__file__).with_name("cli.md").write_text(reference(), encoding="utf-8")
