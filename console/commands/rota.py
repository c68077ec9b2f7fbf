"""`seamwatch rota`: who is on call by each rota, until when and who follows, and the turns that come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sinks.store.questions.rotas import OnCall, Turn


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(rota)


def rota(
    rota: Annotated[list[str] | None, typer.Argument(help="ids of rotas; else all", metavar="[ROTA]...")] = None,
    at: Annotated[str | None, typer.Option(help="as of a time (RFC 3339) or day, to come or past; else now")] = None,
    until: Annotated[
        str | None, typer.Option(help="turns up to a time (RFC 3339) or day  [default: four weeks from then]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one object a rota")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Say who is on call by each rota, since when, until when and who follows, and whose turn comes when.

    Each in the time zone of its rota; who stands in for somebody comes with the reason. Then which contracts in force
    name it in their escalation lists, and whom of it nobody could tell. It goes by the documents as published now, also
    of a time that is past: who was told then is on record (`seamwatch why-late`).

    Exit 1 when a rota has no document that can be used, or somebody who may be on call by it cannot be told.

    Example: seamwatch rota credit-on-call --at 2026-12-24 --until 2027-01-07
    """
    from console.asking import auditor, print_lines
    from console.moments import moment_of
    from seamwatch.errors import UsageError
    from seamwatch.settings import load_settings
    from sinks.store.questions.estate import estate_shown
    from sinks.store.questions.rotas import COMING, rota_record, standing, turns

    moment, end = moment_of("--at", at, back=False), moment_of("--until", until, back=False)
    moment = load_settings().clock().now() if moment is None else moment
    end = moment + COMING if end is None else end
    if end <= moment:
        raise UsageError(f"--until {until}: it must be after {'now' if at is None else at}")
    with auditor(data) as store:
        estate = estate_shown(store)
    found = standing(estate, moment, rota or ())
    if as_json:
        print_lines(rota_record(estate, one, end) for one in found)
    else:
        _print(found, {one.rota: turns(estate.rotas[one.rota], moment, end) for one in found if one.person is not None})
    raise typer.Exit(any(one.problems for one in found))


def _print(found: Sequence[OnCall], coming: Mapping[str, Sequence[Turn]]) -> None:
    from console.tables import print_table, print_text

    print_table(
        ("ROTA", "ON CALL", "SINCE", "UNTIL", "THEN", "WHY", "NAMED BY"),
        (
            (
                one.rota,
                one.person or "nobody",
                one.local(one.since),
                one.local(one.until),
                one.next_person or "-",
                one.why or "",
                ", ".join(one.contracts) or "no contract in force",
            )
            for one in found
        ),
        empty="no rotas: `seamwatch contracts new Rota` prints one to begin with",
    )
    for one in found:
        if one.rota not in coming:
            continue
        print()
        title = f" ({one.title})" if one.title else ""
        print_text(f"{one.rota}{title}, kept by {one.owner}, in the time of {one.time_zone}")
        print_table(
            ("FROM", "UNTIL", "ON CALL", "WHY"),
            ((one.local(each.start), one.local(each.end), each.person, each.why or "") for each in coming[one.rota]),
            empty="",
        )
    told = [(one.rota, problem) for one in found for problem in one.problems]
    if told:
        print()
    for rota_id, problem in told:
        print_text(f"PROBLEM  {rota_id}: {problem}", further=" " * 9)
