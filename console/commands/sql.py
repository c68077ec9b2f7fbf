"""`seamwatch sql`: any question to the decision store, in ClickHouse's SQL, as the read-only auditor."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated

import typer

_OWN_FORMAT = re.compile(r"\bFORMAT\s+\w+\s*$", re.IGNORECASE)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(sql)


def sql(
    query: Annotated[str, typer.Argument(help="one statement; - reads it from standard input", metavar="SQL")],
    form: Annotated[
        str | None,
        typer.Option("--format", help="ClickHouse's name of a format: JSONEachRow, CSVWithNames, Parquet …"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="short for --format JSONEachRow")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Ask the decision store. Tables and views are described in docs/store.md.

    Prints a table on a terminal and tab-separated rows with names elsewhere, unless told a format. Exit 1 with
    ClickHouse's own error when it refuses, 3 until the store answers and is ready.

    Example: seamwatch sql "SELECT system, owner FROM inventory WHERE NOT registered"
    """
    from console.asking import auditor
    from seamwatch.errors import UsageError

    statement = (sys.stdin.read() if query == "-" else query).strip().rstrip(";").strip()
    if not statement:
        raise UsageError('there is no SQL to run: write it in quotes, such as seamwatch sql "SELECT 1"')
    chosen = form or ("JSONEachRow" if as_json else None)
    if chosen is None and not _OWN_FORMAT.search(statement):
        chosen = "PrettyCompactMonoBlock" if sys.stdout.isatty() else "TabSeparatedWithNames"
    with auditor(data) as store:
        answer = store.text(statement, chosen)
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()
