"""`seamwatch followups`: which reviews and actions are owed after what was broken, by whom and until when."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sinks.store.questions.followups import Owed


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(followups)


def followups(
    system: Annotated[str | None, typer.Option(help="only of this system")] = None,
    person: Annotated[str | None, typer.Option(help="only what this person owes")] = None,
    done: Annotated[bool, typer.Option("--done", help="also what is done")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one object a review or action")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """List the reviews and actions that are owed, what is due first before the rest, and by which command each is done.

    Exit 1 when any of them is overdue.

    Example: seamwatch followups --person owner@example.org
    """
    from console.asking import auditor, print_lines
    from seamwatch.settings import load_settings
    from sinks.store.questions.followups import followups as owed
    from sinks.store.questions.names import demand_known
    from sinks.store.questions.published import keys
    from sinks.store.questions.rows import record

    with auditor(data) as store:
        found = owed(store, system=system, person=person, done=done)
        if not found:
            demand_known(store, system=system, person=person)
        signing = keys(store)
    now = load_settings().clock().now()
    commands = [_command(one, signs=bool(signing.get(one.person))) for one in found]
    if as_json:
        print_lines(record(one) | {"command": command} for one, command in zip(found, commands, strict=True))
    else:
        _print(found, commands, now)
    raise typer.Exit(any(one.done_at is None and one.due_at <= now for one in found))


def _command(one: Owed, *, signs: bool) -> str | None:
    from seamwatch.remedies import follow_up_command

    if one.done_at is not None:
        return None
    return follow_up_command(one.contract, one.clause, one.reference, one.system, one.person, signs=signs)


def _print(found: Sequence[Owed], commands: Sequence[str | None], now: int) -> None:
    from console.tables import print_table
    from seamwatch.printable import printable
    from sinks.store.questions.followups import standing

    print_table(
        ("PERSON", "OWES", "OF", "SYSTEM", "CLAUSE", "STANDS", "WHAT"),
        (
            (
                one.person,
                one.what,
                one.reference,
                one.system,
                f"{one.contract}/{one.clause}",
                standing(one, now),
                one.text,
            )
            for one in found
        ),
        empty="nobody owes a review or an action",
    )
    if any(commands):
        print("\nWhat each is done by:")
        for command in dict.fromkeys(filter(None, commands)):
            print(f"  {printable(command)}")
