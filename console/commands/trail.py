"""`seamwatch trail`: everything that happened in one trace, in order, and what led to what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(trail)


def trail(
    trace: Annotated[str, typer.Argument(help="trace_id that the events carry", metavar="TRACE_ID")],
    as_json: Annotated[bool, typer.Option("--json", help="one object an event, in order of event time")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """List every event of a trace in order: models, tools, outcomes, refreshes, each with the approval that covers it.

    What an event led to (`parent_id`) stands below it, indented. Exit 1 when nothing of the trace is on record.

    Example: seamwatch trail conversation-0042
    """
    from console.asking import auditor, print_lines
    from console.tables import print_table, print_text
    from seamwatch.errors import SeamwatchError
    from seamwatch.judging.patterns.wording import millis_text
    from sinks.store.questions.rows import records
    from sinks.store.questions.trail import SERVED, branches
    from sinks.store.questions.trail import trail as asked

    with auditor(data) as store:
        rows = asked(store, trace)
    if not rows:
        raise SeamwatchError(f"nothing with trace_id {trace!r} is on record")
    if as_json:
        print_lines(records(rows))
        return
    print_table(
        ("TIME (UTC)", "TYPE", "SYSTEM", "VERSION", "WHAT", "APPROVAL", "EVENT"),
        (
            (
                f"{branch}{millis_text(row.event_time)}",
                row.type,
                row.system,
                row.version,
                row.what,
                row.approval_id or ("none" if row.type in SERVED else ""),
                row.event_id,
            )
            for branch, row in branches(rows)
        ),
        empty="nothing",
    )
    known = {row.event_id for row in rows}
    for row in rows:
        if row.parent_id and row.parent_id not in known:
            print_text(f"{row.event_id} names a parent that is not on record in this trace: {row.parent_id}")
