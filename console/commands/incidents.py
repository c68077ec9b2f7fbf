"""`seamwatch incidents`: which episodes are declared serious incidents, and what is owed of each until when."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(incidents)


def incidents(
    system: Annotated[str | None, typer.Option(help="only of this system")] = None,
    person: Annotated[str | None, typer.Option(help="only what this person reports")] = None,
    over: Annotated[bool, typer.Option("--over", help="also those of which nothing is owed any more")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one object an incident")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """List the incidents of which a report is owed, what is due first before the rest, and by which command it is sent.

    Exit 1 when any report is overdue, and for an incident whose violation is not on record.

    Example: seamwatch incidents --person owner@example.org
    """
    from console.asking import auditor, print_lines
    from console.tables import print_table
    from seamwatch.judging.patterns.wording import moment_text
    from seamwatch.printable import printable
    from seamwatch.remedies import report_command
    from seamwatch.settings import load_settings
    from sinks.store.questions.incidents import incidents as declared
    from sinks.store.questions.incidents import standing
    from sinks.store.questions.names import demand_known
    from sinks.store.questions.published import keys
    from sinks.store.questions.rows import record

    with auditor(data) as store:
        found = declared(store, system=system, person=person, over=over)
        if not found:
            demand_known(store, system=system, person=person)
        signing = keys(store)
    now = load_settings().clock().now()
    commands = [
        None if one.owes is None else report_command(one.violation_id, one.person, signs=bool(signing.get(one.person)))
        for one in found
    ]
    if as_json:
        print_lines(record(one) | {"command": command} for one, command in zip(found, commands, strict=True))
    else:
        print_table(
            ("PERSON", "OWES", "OF", "SYSTEM", "KIND", "STANDS", "AWARE", "DECLARED BY", "WHAT"),
            (
                (
                    one.person,
                    one.owes or "nothing",
                    one.violation_id,
                    one.system,
                    one.kind,
                    standing(one, now),
                    moment_text(one.aware_at),
                    one.declared_by,
                    one.episode or "no violation of this id is on record",
                )
                for one in found
            ),
            empty="nobody owes the report of an incident",
        )
        if any(commands):
            print("\nWhat each is reported by:")
            for command in dict.fromkeys(filter(None, commands)):
                print(f"  {printable(command)}")
    overdue = any(one.due_at is not None and one.due_at <= now for one in found)
    raise typer.Exit(overdue or any(one.episode is None for one in found))
