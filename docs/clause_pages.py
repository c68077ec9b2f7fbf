"""Writes `docs/clauses/*.md` from the clause kinds themselves: each page is its file's docstring and its parameters.

Run by `docs/check.py`.
"""

from __future__ import annotations

import inspect
import sys
import types
import typing
from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from seamwatch.clauses import Clause, kinds
from seamwatch.durations import Duration, compact_duration

FOLDER = Path(__file__).parent / "clauses"
_OF_EVERY_CLAUSE = ("id", "kind", "severity", "on_breach", "where")
# Each has to begin a line.
_SECTIONS = (
    "State:",
    "What its violation says:",
    "What it cannot see:",
    "```yaml\n- id: ",
    "```json\n{",
    "```text\n",
    "## Parameters",
)
_EXAMPLES = """
## The examples

Each page shows a clause, events and the episodes that a replay of them gives; a test replays them all. The clause
stands alone, or with the other that it needs, in a contract `example` over all systems, whose first person to act is
`owner@example.org`. What an event does not say takes its default. An event is one line of a file; here it goes on in an
indented line, and `times` and `every` stand for as many lines, so long apart. An episode is
shown by its severity, state, times, slice and sentence.
"""
_PLAIN = {"str": "text", "float": "number", "int": "number", "bool": "true or false", "Expression": "expression"}


def page(kind: type[Clause]) -> str:
    """The page of one kind, as Markdown."""
    text = inspect.cleandoc(sys.modules[kind.__module__].__doc__ or "")
    sentence, _, rest = text.partition("\n\n")
    title, _, says = sentence.partition(": ")
    rows = [_row(name, field) for name, field in kind.model_fields.items() if name not in _OF_EVERY_CLAUSE]
    return "\n".join(
        [
            f"# `{kind.kind_name}`",
            "",
            f"**{title}**: {says}",
            "",
            rest,
            "",
            "## Parameters",
            "",
            "Beside `id`, `kind`, `severity` (`breach` by default) and `where` (see [the index](README.md)).",
            "",
            "| parameter | type | default | meaning |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def lacking(page: str) -> list[str]:
    """What a page of a kind must have and has not."""
    said = [mark for mark in _SECTIONS if f"\n{mark}" not in page]
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    return said + [f"a meaning of {row.split('|')[1].strip()}" for row in rows if row.endswith("|  |")]


def index() -> str:
    """The index of all kinds."""
    lines = [
        "# Clause kinds",
        "",
        "One page a kind, written by `make docs` from `seamwatch/clauses/<kind>.py` or `<kind>/kind.py`.",
        "",
        "| kind | says |",
        "|---|---|",
    ]
    for name, kind in kinds().items():
        doc = inspect.cleandoc(sys.modules[kind.__module__].__doc__ or "")
        lines.append(
            f"| [`{name}`]({name}.md) | {' '.join(doc.partition(chr(10) * 2)[0].partition(': ')[2].split())} |"
        )
    lines += ["", "## Every clause has", "", "| parameter | type | default | meaning |", "|---|---|---|---|"]
    lines += [_row(name, Clause.model_fields[name]) for name in _OF_EVERY_CLAUSE]
    return "\n".join([*lines, _EXAMPLES])


def pages() -> dict[Path, str]:
    """Every page by its path."""
    return {FOLDER / "README.md": index()} | {FOLDER / f"{name}.md": page(kind) for name, kind in kinds().items()}


def _row(name: str, field: FieldInfo) -> str:
    default = "required" if field.is_required() else _shown(field)
    return f"| `{field.alias or name}` | {_type(field)} | {default} | {field.description or ''} |"


def _shown(field: FieldInfo) -> str:
    value = field.default
    if value is None or value == () or value is PydanticUndefined:
        return "none"
    if _is_duration(field) and isinstance(value, int):
        return f"`{compact_duration(value)}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{list(value) if isinstance(value, tuple) else value}`"


def _is_duration(field: FieldInfo) -> bool:
    marks = typing.get_args(Duration)[1:]
    held = str(field.annotation)
    return any(mark in field.metadata for mark in marks) or "parse_duration" in held or "_to_micros" in held


def _type(field: FieldInfo) -> str:
    return "duration, such as `26h`" if _is_duration(field) else _name(field.annotation)


def _name(annotation: object) -> str:
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return " or ".join(f"`{value}`" for value in args)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_name(a) for a in args if a is not type(None))
    if origin is typing.Annotated:
        return _name(args[0])
    if origin is tuple:
        inner = [_name(a) for a in args if a is not Ellipsis]
        return f"list of {inner[0]}" if Ellipsis in args else f"[{', '.join(inner)}]"
    name = getattr(annotation, "__name__", str(annotation))
    if hasattr(annotation, "model_fields"):
        inside = ", ".join(f.alias or n for n, f in annotation.model_fields.items())
        return f"{{{inside}}}"
    return _PLAIN.get(name, name)
