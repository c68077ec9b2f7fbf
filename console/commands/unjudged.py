"""`seamwatch unjudged`: what could not be judged, of which system, by which clause, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(unjudged)


def unjudged(
    system: Annotated[str | None, typer.Argument(help="only this system; all when absent")] = None,
    since: Annotated[str, typer.Option(help="of events since: a duration (7d) or a time (RFC 3339)")] = "7d",
    until: Annotated[str | None, typer.Option(help="of events before: a duration or a time; now when absent")] = None,
    everything: Annotated[bool, typer.Option("--all", help="also what could be judged, clause by clause")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one object a row")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """List what could not be judged: how many events, under which clause, and why.

    By the clauses that are in force, and by what is on record: fields and arguments that are missing or cannot be read,
    windows with too few events, decisions without an outcome and outcomes without a decision, clauses for which nothing
    came; signals that no clause is on, systems that no contract covers; records and documents that cannot be used.

    Exit 1 when there is anything.

    Example: seamwatch unjudged credit-model --since 30d
    """
    from console.asking import auditor, print_lines
    from console.moments import moment_of
    from console.tables import print_table
    from seamwatch.errors import UsageError
    from seamwatch.settings import load_settings
    from sinks.store.questions.estate import estate_on_record
    from sinks.store.questions.names import demand_known
    from sinks.store.questions.rows import records
    from sinks.store.questions.unjudged import Period, looked, not_judged, sentence, standing

    settings = load_settings(data=data)
    begin, end = moment_of("--since", since), moment_of("--until", until)
    period = Period(begin or 0, settings.clock().now() if end is None else end)
    if period.since >= period.until:
        raise UsageError("--since is not before --until: turn them round")
    with auditor(data) as store:
        demand_known(store, system=system)
        estate = estate_on_record(store, signed_only=settings.follows_signed_only)
        found = looked(store, estate, period, None if system is None else [system])
    lacking = not_judged(found)
    shown = found if everything else lacking
    if as_json:
        print_lines(records(shown))
    else:
        print_table(
            ("SYSTEM", "CLAUSE", "WHY", "WHAT"),
            ((row.system or "-", standing(row), row.why, sentence(row)) for row in shown),
            empty="everything that came could be judged",
        )
    raise typer.Exit(bool(lacking))
