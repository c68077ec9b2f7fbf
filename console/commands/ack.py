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
    as_json: Annotated[bool, typer.Option("--json", help="print the acknowledgement as one object")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Acknowledge a violation or a change: paging stops, and the answer is on record.

    Example: seamwatch ack 4f1c2a9be0d7 --as owner@example.org --note "feed restarted"
    """
    from console.asking import auditor
    from console.reach import reach
    from seamwatch.settings import load_settings

    with auditor(data) as store:
        found = _find(store, reference)
        keys = _keys(store, person)
    event = _event(found, person, note, "object" if objection else "accept", load_settings().clock().now())
    _sign(event, person, keys, key)
    system = reach(data)
    _publish(system.kafka, system.prefix, event)
    if as_json:
        print(json.dumps(event, ensure_ascii=False))
    else:
        verb = "objects to" if objection else "acknowledges"
        print(f"{person} {verb} {found['of']} {found['reference']} of {found['system']}: {found['summary']}")


def _find(store: Store, reference: str) -> dict[str, Any]:
    from seamwatch.errors import SeamwatchError, UsageError

    rows = store.rows(
        "SELECT 'violation' AS of, violation_id AS reference, CAST(system, 'String') AS system, summary "
        "FROM violations WHERE violation_id = {reference:String} "
        "OR (length({reference:String}) >= {shortest:UInt8} AND startsWith(violation_id, {reference:String})) "
        "UNION ALL SELECT 'change', change_id, CAST(system, 'String') AS changed, argMax(summary, event_time) "
        "FROM config_change WHERE change_id = {reference:String} GROUP BY change_id, changed",
        {"reference": reference, "shortest": _SHORTEST_PREFIX},
    )
    exact = [row for row in rows if row["reference"] == reference] or rows
    if not exact:
        raise SeamwatchError(f"no violation or change {reference!r} is on record: see `seamwatch violations --open`")
    if len(exact) > 1:
        raise UsageError(
            f"{reference!r} could be {', '.join(sorted(row['reference'] for row in exact)[:5])}: write more of it"
        )
    return exact[0]


def _keys(store: Store, person: str) -> list[dict[str, Any]]:
    from seamwatch.errors import UsageError
    from seamwatch.wire.schemas import nearest

    rows = store.rows("SELECT id, document FROM documents WHERE kind = 'Person' ORDER BY id")
    documents = {row["id"]: json.loads(row["document"]) for row in rows}
    if not documents:
        return []  # nobody is published, so nobody's keys are either
    if person not in documents:
        raise UsageError(f"--as {person}: no such person is published{nearest(person, tuple(documents))}")
    keys: list[dict[str, Any]] = documents[person].get("keys") or []
    return keys


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


def _sign(event: dict[str, Any], person: str, keys: list[dict[str, Any]], file: Path | None) -> None:
    from base64 import b64encode

    from console.keys import public_of, read_private_key
    from seamwatch.errors import UsageError
    from seamwatch.signatures import acknowledgement_bytes, sign

    if file is None:
        if keys:
            raise UsageError(f"{person} has published keys, so an unsigned answer would not count: give --key FILE")
        return
    private = read_private_key(file)
    public = public_of(private)
    known = next((entry["key_id"] for entry in keys if entry["public"] == public), None)
    if known is None:
        raise UsageError(f"{file}: its public key {public} is not among the keys published for {person}")
    event["key_id"] = known
    event["signature"] = b64encode(sign(acknowledgement_bytes(event), private)).decode()


def _publish(kafka: str, prefix: str, event: dict[str, Any]) -> None:
    from confluent_kafka import Producer

    from seamwatch.errors import UnreachableError
    from seamwatch.wire.codec import Codec
    from seamwatch.wire.topics import Topics

    failures: list[str] = []
    producer = Producer({"bootstrap.servers": kafka, "acks": "all", "message.timeout.ms": 10_000, "log_level": 0})
    producer.produce(
        Topics(prefix).input("acknowledgement"),
        Codec().encode("acknowledgement", event),
        key=event["system"].encode(),
        on_delivery=lambda error, _message: failures.append(error.str()) if error is not None else None,
    )
    if producer.flush(12) or failures:
        raise UnreachableError(f"the answer did not reach Kafka at {kafka}: {failures or 'no reply'}; try again")
