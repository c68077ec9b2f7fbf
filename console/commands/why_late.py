"""`seamwatch why-late`: why a violation opened, and reached a person, when it did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sinks.store.client import Store
    from sinks.store.questions.lateness import History, Timeline


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(why_late)


def why_late(
    violation: Annotated[
        str,
        typer.Argument(help="its id, or the beginning of it (six characters or more)", metavar="VIOLATION_ID"),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="one object")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Say why a violation opened when it did, and not before: its times, and what it waited for in between.

    When its events happened and when the broker had them, when it became true, was found and was sent, when each person
    was tried and by which channel. Each gap of more than two seconds is named: an event that came late, and of which
    producer; what the clause agreed on; the lateness allowed; an input partition that was not measured; a stage that
    was down; a channel that failed. What nothing on record explains is said to be not known.

    Exit 1 when there is no such violation.

    Example: seamwatch why-late 4f1c2a9be0d7
    """
    from console.asking import auditor
    from console.reach import reach
    from seamwatch.errors import SeamwatchError
    from sinks.store.questions.lateness import history_of, timeline_of
    from statements.recorded import once_recorded

    with auditor(data) as store:

        def asked() -> History | None:
            return history_of(store, _meant(store, violation))

        # Whoever was paged asks at once, and the record may lag behind the page.
        history = once_recorded(store, reach(data), ("violations",), asked)
    if history is None:
        raise SeamwatchError(f"no violation {violation!r} is on record: `seamwatch violations` lists them")
    timeline = timeline_of(history)
    if as_json:
        print(json.dumps(_plain(history, timeline), ensure_ascii=False))
    else:
        _print(history, timeline)


_NAMED = 10


def _meant(store: Store, typed: str) -> str:
    """The id on record that begins as was typed. Raises UsageError where several do."""
    from seamwatch.errors import UsageError
    from sinks.store.questions.references import referred

    found = sorted(one.reference for one in referred(store, typed) if one.of == "violation")
    if not found:
        return typed
    if len(found) > 1:
        named = ", ".join(found[:_NAMED])
        raise UsageError(f"{typed!r} is the beginning of {len(found)} ids: write more of {named}")
    return found[0]


def _plain(history: History, timeline: Timeline) -> dict[str, Any]:
    from sinks.store.questions.lateness import timeline_record

    first = history.states[0]
    return {
        "violation_id": first.violation_id,
        "contract": first.contract,
        "contract_version": first.contract_version,
        "clause": first.clause,
        "kind": first.kind,
        "system": first.system,
        "summary": first.summary,
    } | timeline_record(timeline)


def _print(history: History, timeline: Timeline) -> None:
    from console.tables import print_text
    from seamwatch.durations import format_duration
    from seamwatch.judging.patterns.wording import millis_text

    first = history.states[0]
    place = first.system if first.slice in (None, first.system) else f"{first.system} / {first.slice}"
    print_text(f"{first.severity.upper()}  {place}  {first.contract}@{first.contract_version}, clause {first.clause}")
    print_text(f"{first.violation_id}  {first.summary}")
    print_text(timeline.answer)
    print("\nTimes are UTC.")
    for station in timeline.stations:
        for wait in station.waits:
            print_text(f"waited {format_duration(wait.lasted)}: {wait.told}", indent=" " * 6, further=" " * 8)
        print_text(f"{millis_text(station.at)}  {station.told}", further=" " * 25)
    for note in timeline.notes:
        print_text(f"Note: {note}")
