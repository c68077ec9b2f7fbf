"""`seamwatch ack`: a person takes a violation on, or answers a change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sinks.store import Store

_SHORTEST_PREFIX = 6


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(ack)


def ack(
    reference: Annotated[str, typer.Argument(help="a violation_id (or its beginning) or a change_id")],
    person: Annotated[str, typer.Option("--as", help="who answers: the id of a Person document", metavar="PERSON")],
    key: Annotated[
        Path | None, typer.Option(help="your Ed25519 private key, to sign with; needed when your Person has keys")
    ] = None,
    objection: Annotated[bool, typer.Option("--object", help="object instead of accept")] = False,
    note: Annotated[str | None, typer.Option(help="what else is to be said")] = None,
    wait: Annotated[
        str, typer.Option(help="how long to wait for the judge to say whether it counts; 0s sends it and asks nobody")
    ] = "15s",
    as_json: Annotated[
        bool, typer.Option("--json", help="print the acknowledgement as one object, with the judge's verdict")
    ] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Acknowledge a violation or a change: paging stops, and the answer is on record.

    Exit 1 when the answer does not count, which the judge says, and why (docs/paging.md has every reason); 3 when no
    judge has said anything in time, though the answer was sent.

    Example: seamwatch ack 4f1c2a9be0d7 --as owner@example.org --note "feed restarted"
    """
    from console.asking import auditor
    from console.reach import reach
    from console.signing import keys_of, sign_as
    from console.verdicts import Verdicts
    from seamwatch.errors import SeamwatchError, UnreachableError
    from seamwatch.settings import load_settings
    from seamwatch.signatures import acknowledgement_bytes
    from seamwatch.wire.topics import Topics

    patience = _seconds(wait)
    with auditor(data) as store:
        found = _find(store, reference)
        keys = keys_of(person, _published_keys(store))
    event = _event(found, person, note, "object" if objection else "accept", load_settings().clock().now())
    event["key_id"], event["signature"] = sign_as(acknowledgement_bytes(event), person, keys, key)
    system = reach(data)
    verdict = None
    if patience:
        with Verdicts(system.kafka, Topics(system.prefix).verdict) as verdicts:
            _publish(system.kafka, system.prefix, event)
            verdict = verdicts.wait(event["event_id"], patience)
    else:
        _publish(system.kafka, system.prefix, event)
    if as_json:
        print(json.dumps(event | {"verdict": _told(verdict)}, ensure_ascii=False))
    if verdict is None and patience:
        raise UnreachableError(
            f"the answer was sent, and is on record, but no judge has said within {wait} whether it counts: is one "
            "running? `seamwatch acknowledgements` tells it when one has"
        )
    if verdict is not None and not verdict["counted"]:
        raise SeamwatchError(f"the answer does not count: {verdict['summary']}")
    if not as_json:
        verb = "objects to" if objection else "acknowledges"
        sent = "" if patience else " (sent; nobody was asked whether it counts)"
        print(f"{person} {verb} {found['of']} {found['reference']} of {found['system']}: {found['summary']}{sent}")


def _seconds(wait: str) -> float:
    from seamwatch.durations import SECOND, parse_duration
    from seamwatch.errors import UsageError

    try:
        return 0.0 if wait in ("0", "0s") else parse_duration(wait) / SECOND
    except ValueError as error:
        raise UsageError(f"--wait: {error}") from None


def _told(verdict: dict[str, Any] | None) -> dict[str, Any] | None:
    """What of a verdict its answerer does not know."""
    names = ("counted", "reason", "summary", "contract", "contract_version", "clause")
    return None if verdict is None else {name: verdict[name] for name in names}


def _find(store: Store, reference: str) -> dict[str, Any]:
    from console.asking import micros_of
    from seamwatch.errors import SeamwatchError, UsageError
    from seamwatch.judging.announcements import change_id_of
    from seamwatch.judging.wording import moment_text

    rows = store.rows(
        "SELECT 'violation' AS of, violation_id AS reference, CAST(system, 'String') AS system, summary, resolved_at "
        "FROM violations WHERE violation_id = {reference:String} "
        "OR (length({reference:String}) >= {shortest:UInt8} AND startsWith(violation_id, {reference:String})) "
        "UNION ALL SELECT 'change', change_id, CAST(system, 'String'), argMax(summary, event_time), NULL "
        "FROM config_change WHERE change_id IN ({reference:String}, {change:String}) GROUP BY change_id, system",
        {"reference": reference, "change": change_id_of(reference), "shortest": _SHORTEST_PREFIX},
    )
    exact = [row for row in rows if row["reference"] == reference] or rows
    if not exact and len(reference) < _SHORTEST_PREFIX:
        raise UsageError(
            f"{reference!r} is no change, and too short for a violation: write at least {_SHORTEST_PREFIX} characters "
            "of its id"
        )
    if not exact:
        raise SeamwatchError(f"no violation or change {reference!r} is on record: see `seamwatch violations --open`")
    if len(exact) > 1:
        raise UsageError(
            f"{reference!r} could be {', '.join(sorted(row['reference'] for row in exact)[:5])}: write more of it"
        )
    if exact[0]["resolved_at"] is not None:
        over = moment_text(micros_of(exact[0]["resolved_at"]) or 0)
        raise SeamwatchError(
            f"the answer would not count, and was not sent: violation {exact[0]['reference']} is over since {over}"
        )
    return exact[0]


def _published_keys(store: Store) -> dict[str, dict[str, str]]:
    """By person: public key → key id."""
    rows = store.rows("SELECT id, document FROM documents WHERE kind = 'Person' ORDER BY id")
    keys = {row["id"]: json.loads(row["document"]).get("keys") or [] for row in rows}
    return {person: {entry["public"]: entry["key_id"] for entry in entries} for person, entries in keys.items()}


def _event(found: dict[str, Any], person: str, note: str | None, answer: str, now: int) -> dict[str, Any]:
    import uuid_utils

    return {
        "event_id": str(uuid_utils.uuid7()),
        "event_time": now,
        "producer": "seamwatch ack",
        "system": found["system"],
        "of": found["of"],
        "reference": found["reference"],
        "person": person,
        "answer": answer,
        "note": note,
        "key_id": None,
        "signature": None,
    }


def _publish(kafka: str, prefix: str, event: dict[str, Any]) -> None:
    from console.sending import send
    from seamwatch.errors import UnreachableError
    from seamwatch.wire.codec import Codec
    from seamwatch.wire.topics import Topics

    value = Codec().encode("acknowledgement", event)
    if why := send(kafka, Topics(prefix).input("acknowledgement"), [(event["system"].encode(), value)]):
        raise UnreachableError(f"the answer did not reach Kafka at {kafka}: {why}; try again")
