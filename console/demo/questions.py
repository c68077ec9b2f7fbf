"""Shows the questions that an auditor asks afterwards, their SQL, and their answers as tables.

Nothing of the demo's own memory is in an answer: what is asked is `sinks.store.questions.afterwards`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table

if TYPE_CHECKING:
    from sinks.store.questions.afterwards import Question

_SHOWN: Final = 30


def show(console: Console, question: Question, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the question, its SQL and the answer."""
    console.print(f"\n[bold]{question.asks}[/bold]")
    console.print(Syntax(question.sql.strip(), "sql", theme="ansi_dark", background_color="default", word_wrap=True))
    if not rows:
        console.print("  nothing")
        return
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for name in rows[0]:
        table.add_column(name, overflow="fold", justify="right" if isinstance(rows[0][name], int) else "left")
    for row in rows[:_SHOWN]:
        table.add_row(*(_text(value) for value in row.values()))
    console.print(table)
    if len(rows) > _SHOWN:
        console.print(f"  and {len(rows) - _SHOWN} more")


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%m-%d %H:%M")
    if isinstance(value, (list, tuple)):
        return ", ".join(str(item) for item in value)
    return str(value)
