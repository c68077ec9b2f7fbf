"""`seamwatch approvals`: who approved what for which use, and what it has allowed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sinks.store.questions.approvals import ApprovalGiven


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(approvals)


def approvals(
    system: Annotated[str | None, typer.Option(help="only this system")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one object an approval")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Say who approved which version for which use case, until when, and what it has allowed.

    What it allowed is counted by the time, configuration and use case of each event, and by the documents that were
    published when it came; an approval that is listed no more still has what it allowed. Exit 1 when a version served
    events after its approval had ended, or an approval counts for nothing. What serves without any approval is a
    violation (`seamwatch violations`), and `seamwatch why` tells it of one decision. What has allowed nothing for 30
    days is told below the table.

    Example: seamwatch approvals --system credit-risk
    """
    from console.asking import ago, auditor, print_lines
    from console.naming import counted
    from console.tables import print_table, print_text
    from seamwatch.judging.patterns.wording import millis_text
    from seamwatch.settings import load_settings
    from sinks.store.questions.approvals import approvals as asked
    from sinks.store.questions.approvals import never_used
    from sinks.store.questions.names import demand_known
    from sinks.store.questions.rows import records

    now = load_settings().clock().now()
    with auditor(data) as store:
        rows = asked(store, system, now)
        if not rows:
            demand_known(store, system=system)
    if as_json:
        print_lines(records(rows))
    else:
        print_table(
            (
                "SYSTEM",
                "VERSION",
                "CONFIGURATION",
                "USE CASE",
                "APPROVED BY",
                "ON",
                "UNTIL",
                "ALLOWED",
                "LAST",
                "AFTER",
            ),
            (
                (
                    row.system,
                    row.version,
                    row.config_digest,
                    row.use_case,
                    f"{row.approved_by or 'nobody'} ({row.approval_id})",
                    "?" if row.approved_at is None else millis_text(row.approved_at)[:10],
                    _until(row),
                    counted(row.events, "event"),
                    ago(row.last_seen, now),
                    counted(row.events_after, "event") if row.events_after else "",
                )
                for row in rows
            ),
            empty="nobody has approved anything" + ("" if system is None else f" of {system}"),
        )
        for row in rows:
            if row.void is not None:
                print_text(f"approval {row.approval_id} of {row.system} counts for nothing: it {row.void}")
            if (unused := never_used(row, now)) is not None:
                print_text(unused)
    raise typer.Exit(any(row.events_after or row.void is not None for row in rows))


def _until(given: ApprovalGiven) -> str:
    from seamwatch.judging.patterns.wording import millis_text

    ends = [end for end in (given.expires, given.revoked_at) if end is not None]
    words = "REVOKED " if given.revoked_at is not None else "EXPIRED " if given.events_after else ""
    listed = "" if given.in_documents else "listed no more; "
    return f"{listed}{words}{millis_text(min(ends))[:16] if ends else 'no end'}"
