"""Writes `docs/commands.md` from the commands themselves, so that none is undocumented.

Run by `docs/check.py`; knows nothing of what a command does.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from console.app import build

PAGE = Path(__file__).parent / "commands.md"
_HEAD = """# Commands

Written by `make docs` from the commands' own help. Every command has `--help`. Exit codes: 0 well, 1 found problems
(violations, errors in documents, lines that hold no event), 2 used wrongly, 3 cannot reach what it needs.
"""


def text() -> str:
    """The page, as Markdown."""
    parts = [_HEAD]
    for name, command in _commands("seamwatch", typer.main.get_command(build())):
        parts.append(f"## `{name}`\n")
        parts.append(inspect.cleandoc(command.help or "").replace("\b\n", "") + "\n")
        rows = [row for parameter in command.params if (row := _row(parameter)) is not None]
        if rows:
            parts += ["| argument or option | default | meaning |", "|---|---|---|", *rows, ""]
    return "\n".join(parts)


def _commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
        return
    for child, found in inner.items():
        yield from _commands(f"{name} {child}", found)


def _row(parameter: Any) -> str | None:
    if parameter.name == "help":
        return None
    names = ", ".join(f"`{option}`" for option in parameter.opts) if parameter.opts[0].startswith("-") else ""
    shown = names or f"`{parameter.metavar or parameter.name.upper()}`"
    default = parameter.default
    text = "required" if parameter.required else ("" if default in (None, False, ()) else f"`{default}`")
    return f"| {shown} | {text} | {getattr(parameter, 'help', None) or ''} |"
