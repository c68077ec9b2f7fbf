"""`seamwatch stale`: the decisions that were made on data older than agreed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(stale)


def stale(
    system: Annotated[str | None, typer.Option(help="only this system")] = None,
    since: Annotated[str | None, typer.Option(help="decided since: a duration (24h) or a time (RFC 3339)")] = None,
    limit: Annotated[int, typer.Option(min=1, help="at most so many, the latest first")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="one object a decision")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """List the decisions made on data older than agreed, the latest first, and by which clause.

    Exit 1 when there are any. When they are more than --limit, it says how many there are in all (with --json on
    standard error). So it does of decisions that do not say how old their data is, though a clause asks for it.

    Example: seamwatch stale --system eligibility --since 2026-03-01T00:00:00Z
    """
    from console.asking import auditor, print_lines
    from console.moments import moment_of
    from console.tables import print_note, print_table
    from seamwatch.judging.patterns.wording import millis_text
    from sinks.store.questions.names import demand_known
    from sinks.store.questions.rows import records
    from sinks.store.questions.stale import Since, age, ageless, agreed, number
    from sinks.store.questions.stale import stale as stale_decisions

    asked = Since(system, moment_of("--since", since))
    with auditor(data) as store:
        rows = stale_decisions(store, asked, limit)
        if not rows:
            demand_known(store, system=system)
        all_of_them = number(store, asked) if len(rows) == limit else len(rows)
        silent = ageless(store, asked)
    more = f"{len(rows)} of {all_of_them:,}; --limit shows more" if all_of_them > len(rows) else ""
    if as_json:
        print_lines(records(rows))
    else:
        print_table(
            ("DECISION", "SYSTEM", "AT", "DATA", "AGREED", "BY", "SAID"),
            (
                (
                    row.event_id,
                    row.system,
                    millis_text(row.event_time)[:19],
                    age(row),
                    agreed(row),
                    f"{row.contract}/{row.clause}",
                    f"{row.decision or 'no decision'}",
                )
                for row in rows
            ),
            empty="no decision was made on data older than agreed",
        )
    if more:
        print_note(more, aside=as_json)
    if silent:
        text = f"{silent:,} decisions under a clause on the age of data do not say how old theirs is"
        print_note(text, aside=as_json)
    raise typer.Exit(bool(rows))
