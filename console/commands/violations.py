"""`seamwatch violations`: every episode, in its latest state."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from seamwatch.judging.model.facts import Violation
    from sinks.store.client import Store
    from sinks.store.questions.episodes import Before

SHOWN = 100
_INDENT = " " * 9


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(violations)


def violations(
    system: Annotated[str | None, typer.Option(help="only of this system")] = None,
    only_open: Annotated[bool, typer.Option("--open", help="only what is not resolved")] = False,
    since: Annotated[str | None, typer.Option(help="opened since: a duration (24h) or a time (RFC 3339)")] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help=f"at most so many, the latest first  [default: {SHOWN}; with --json all]"),
    ] = None,
    before: Annotated[
        str | None, typer.Option(help="go on after this violation (its id), or with those opened before this time")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one object an episode, as `replay` prints them")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """List violations, the latest first, and drills among them. Exit 1 when there are violations, 0 when none.

    When there are more than it shows, it says how many, and how to see the next (with --json on standard error).

    Example: seamwatch violations --open --since 24h
    """
    from console.asking import auditor
    from console.moments import moment_of
    from seamwatch.judging.model.facts import DRILL
    from seamwatch.judging.model.text import violation_line
    from seamwatch.settings import load_settings
    from sinks.store.questions.episodes import Wanted, episodes, number
    from sinks.store.questions.names import demand_known

    now = load_settings().clock().now()
    most = limit if limit is not None or as_json else SHOWN
    opened = moment_of("--since", since)
    with auditor(data) as store:
        wanted = Wanted(system, only_open, opened, None if before is None else _before(store, before))
        found = episodes(store, wanted, most)
        if not found:
            demand_known(store, system=system)
        # Only a full list can have more behind it; what opened while it was asked for is for the next time.
        all_of_them = number(store, wanted) if len(found) == most else len(found)
        broken = any(v.severity != DRILL for v in found) or bool(
            all_of_them > len(found) and number(store, replace(wanted, drills=False))
        )
    if as_json:
        for violation in found:
            print(violation_line(violation))
    else:
        _print(found, now)
    if all_of_them > len(found):
        print(
            f"{len(found):,} of {all_of_them:,}; --before {found[-1].violation_id} goes on",
            file=sys.stderr if as_json else sys.stdout,
        )
    raise typer.Exit(broken)


def _before(store: Store, before: str) -> Before:
    """Where the list goes on: after a violation in it, or with what was opened before a time."""
    from console.moments import moment_of
    from seamwatch.errors import SeamwatchError, UsageError
    from sinks.store.questions.episodes import Before, episode

    last = episode(store, before)
    if last is not None:
        return Before(last.opened_at, last.violation_id)
    try:
        moment = moment_of("--before", before)
    except UsageError:
        moment = None
    if moment is None:
        raise SeamwatchError(
            f"--before {before}: no violation of this id is on record, and it is no time: write the whole id of the "
            "last one that was shown, a duration such as 24h, or a time such as 2026-03-02T10:00:00Z"
        )
    return Before(moment)


def _print(found: list[Violation], now: int) -> None:
    """Three lines each, since a sentence does not fit into a column, and one for each signature that is missing."""
    from console.tables import print_text
    from seamwatch.printable import printable
    from seamwatch.remedies import sign_commands

    for v in found:
        place = v.system if v.slice in (None, v.system) else f"{v.system} / {v.slice}"
        head = f"{v.severity.upper():<7}  {v.state:<12}"
        print_text(f"{head}  {place}  {_standing(v, now)}", further=_INDENT)
        print_text(v.summary, indent=_INDENT)
        print_text(f"{v.violation_id}  {v.contract}@{v.contract_version}, clause {v.clause}", indent=_INDENT)
        for command in sign_commands(v):
            print(f"{_INDENT}{printable(command)}")
    if not found:
        print("no violations")


def _standing(v: Violation, now: int) -> str:
    """Since when, and who has to act; of what is over nobody has."""
    from console.asking import ago
    from sinks.store.questions.episodes import acting

    if v.resolved_at is not None:
        return f"from {ago(v.since or v.opened_at, now)}, over since {ago(v.resolved_at, now)}" + (
            f", {acting(v)}" if v.acknowledged_by else ""
        )
    return f"since {ago(v.since or v.opened_at, now)}, {acting(v)}"
