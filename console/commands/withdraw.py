"""`seamwatch withdraw`: a change that was announced is taken back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from statements.published import Published


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(withdraw)


def withdraw(
    change: Annotated[str, typer.Argument(metavar="CHANGE_ID", help="the change, as it was announced")],
    *,
    person: Annotated[str, typer.Option("--as", help="who does: the id of a Person document", metavar="PERSON")],
    key: Annotated[
        Path | None, typer.Option(help="your Ed25519 private key, to sign with; needed when your Person has keys")
    ] = None,
    note: Annotated[str | None, typer.Option(help="why, in a sentence")] = None,
    system: Annotated[str | None, typer.Option(help="the system; needed where several have such a change")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the event as one object")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Withdraw a change: nobody has to answer it any more, and what it announced is announced no longer.

    Who announced it may, and who signs for a party of a contract over the system. It ends the change's clocks and its
    open violations, objections too. Exit 1, and nothing is sent, when it would not count.

    Example: seamwatch withdraw CHG-7 --as owner@example.org --note "after the audit"
    """
    from console.asking import auditor
    from console.drafts import add_signature
    from console.reach import reach
    from console.signing import demand_key
    from seamwatch.errors import SeamwatchError
    from seamwatch.judging.patterns.announcements import change_id_of
    from seamwatch.wire.events import new_event_id
    from sinks.store.questions.announcements import announcements
    from statements.published import Published
    from statements.recorded import once_recorded

    published = Published(reach(data))
    keys = published.keys_of(person)
    demand_key(person, keys, key)
    if system is not None:
        published.demand_system(system)
    with auditor(data) as store:
        records = once_recorded(
            store,
            reach(data),
            ("config_change",),
            lambda: announcements(store, change) or announcements(store, change_id_of(change)),
        )
    if not records:
        raise SeamwatchError(f"no change {change!r} is on record: see `seamwatch acknowledgements`")
    records = _of_one_system(records, system)
    said = [record for record in records if not record["withdrawn"]] or records
    own = [record for record in said if record["announced_by"] == person]
    record = (own or said)[-1] | {
        "event_id": new_event_id(),
        "event_time": published.now,
        "producer": "seamwatch withdraw",
        "announced_by": person,
        "summary": note or "",
        "signatures": [],
        "withdrawn": True,
    }
    if key is not None:
        add_signature(record, person, keys, key)
    _demand_effect(published, records, record)
    published.send("config_change", record)
    if as_json:
        print(json.dumps({"type": "config_change", **record}, ensure_ascii=False))
        return
    print(
        f"{person} withdrew {record['kind']} change {record['change_id']} of {record['system']}: its clocks and its "
        "open violations end, and what it announced is announced no longer"
    )


def _of_one_system(records: list[dict[str, Any]], system: str | None) -> list[dict[str, Any]]:
    from seamwatch.errors import UsageError

    systems = sorted({record["system"] for record in records})
    if system is None and len(systems) > 1:
        raise UsageError(f"{', '.join(systems)} have such a change: name the one you mean with --system")
    mine = [record for record in records if system is None or record["system"] == system]
    if not mine:
        raise UsageError(f"it is a change of {', '.join(systems)}, not of {system}")
    return mine


def _demand_effect(published: Published, records: Sequence[dict[str, Any]], record: dict[str, Any]) -> None:
    """Raise SeamwatchError when it would count for no contract over the system."""
    from seamwatch.errors import SeamwatchError
    from seamwatch.judging.patterns.announcements import why_withdrawal_void
    from sinks.store.questions.announcements import standing

    reasons = []
    for seam in published.seams(record["system"]):
        by = tuple(said.by for said in standing(seam, records))
        if not by:
            reasons.append(f"change {record['change_id']} is withdrawn already")
        elif (why := why_withdrawal_void(seam, by, record)) is not None:
            reasons.append(why)
        else:
            return
    raise SeamwatchError(f"it would not count, and was not sent: {'; '.join(dict.fromkeys(reasons))}")
