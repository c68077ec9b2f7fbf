"""`seamwatch trail`: everything that happened in one trace, in order."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(trail)


def trail(
    trace: Annotated[str, typer.Argument(help="trace_id that the events carry", metavar="TRACE_ID")],
    as_json: Annotated[bool, typer.Option("--json", help="one object an event")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """List every event of a trace in order: models, tools, outcomes, refreshes, each with the approval that covers it.

    Exit 1 when nothing of the trace is on record.

    Example: seamwatch trail conversation-0042
    """
    from console.asking import auditor, micros_of, print_lines, print_table
    from seamwatch.errors import SeamwatchError
    from seamwatch.judging.wording import moment_text

    with auditor(data) as store:
        # Only the approvals of what served in this trace: a whole store's would take longer than its trail.
        rows = store.rows(
            "SELECT steps.*, approved.approval_id AS approval_id FROM "
            "(SELECT * FROM trail WHERE trace_id = {trace:String}) AS steps LEFT ANY JOIN "
            "(SELECT system, version, toNullable(approval_id) AS approval_id FROM approvals) AS approved "
            "ON steps.system = approved.system AND steps.version = approved.version "
            "ORDER BY event_time, event_id",
            {"trace": trace},
        )
    if not rows:
        raise SeamwatchError(f"nothing with trace_id {trace!r} is on record")
    if as_json:
        print_lines(rows)
        return
    print_table(
        ("TIME", "TYPE", "SYSTEM", "VERSION", "WHAT", "APPROVAL", "EVENT"),
        (
            (
                moment_text(micros_of(row["event_time"]) or 0),
                row["type"],
                row["system"],
                row["version"],
                row["what"],
                row["approval_id"] or ("none" if row["type"] in {"inference", "tool_call"} else ""),
                row["event_id"],
            )
            for row in rows
        ),
        empty="nothing",
    )
