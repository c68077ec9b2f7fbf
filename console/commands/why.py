"""`seamwatch why`: from one decision to the approval that allowed it, its contracts and the person on the hook."""

from __future__ import annotations

import json
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from seamwatch.sdk.subject_keys import SubjectKeys
    from seamwatch.sealing import Place
    from sinks.store import Store


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(why)


def why(
    event: Annotated[str, typer.Argument(help="event_id of an inference or a tool call", metavar="EVENT_ID")],
    as_json: Annotated[bool, typer.Option("--json", help="one object")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Say why a decision was allowed: its approval, the contracts that bind it, who answers for it, where it is kept.

    Its attributes and arguments are shown too, and what is sealed in them where SEAMWATCH_SUBJECT_KEYS names the keys.
    Exit 1 when there is no such event, or no approval covers it.

    Example: seamwatch why 019539d9-1e5c-7c3a-9d1b-0c1f8f6b2a11
    """
    from console.asking import auditor, plain
    from seamwatch.errors import SeamwatchError

    with auditor(data) as store:
        found = store.rows("SELECT * FROM why WHERE event_id = {event:String}", {"event": event})
        broken = store.rows(
            "SELECT violation_id, contract, contract_version, clause, severity, state, summary, "
            "person, acknowledged_by, resolved_at FROM violations "
            "WHERE arrayExists(e -> e.event_id = {event:String}, evidence) ORDER BY opened_at",
            {"event": event},
        )
        told = _told(store, event, found[0]["type"]) if found else {}
    if not found:
        raise SeamwatchError(
            f"no inference or tool call with event_id {event!r} is on record: it may not have arrived, or its kind is "
            "another (`seamwatch trail` shows all kinds of a trace)"
        )
    answer = {**plain(found[0]), **told, "violations": [plain(row) for row in broken]}
    if as_json:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        _print(answer)
    raise typer.Exit(answer["approval_id"] is None)


def _told(store: Store, event: str, record_type: str) -> dict[str, Any]:
    """The event's attributes, and arguments of a tool call, as texts; what is sealed opened if the key is at hand.

    And the erasures that are on record of the keys that sealed them. Such a key opens nothing, also where a copy of it
    came back with a backup.
    """
    from seamwatch.sdk.sealer import argument_of, attribute_of
    from seamwatch.sdk.subject_keys import open_subject_keys
    from seamwatch.settings import load_settings

    named = load_settings().subject_keys
    keys = None if named is None else open_subject_keys(named)
    arguments = "arguments" if record_type == "tool_call" else "'{}' AS arguments"
    (row,) = store.rows(
        f"SELECT attributes, {arguments} FROM {record_type} WHERE event_id = {{event:String}} LIMIT 1", {"event": event}
    )
    attributes = {each["key"]: each["value"] for each in row["attributes"]}
    passed = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in _object(row["arguments"]).items()
    }
    erasures = _erasures(store, [*attributes.values(), *passed.values()], keys)
    erased = {each["key_id"] for each in erasures}
    told: dict[str, Any] = {
        "attributes": {name: _read(text, attribute_of(event, name), keys, erased) for name, text in attributes.items()}
    }
    if record_type == "tool_call":
        told["arguments"] = {name: _read(text, argument_of(event, name), keys, erased) for name, text in passed.items()}
    return told | {"erasures": erasures}


def _erasures(store: Store, texts: list[str], keys: SubjectKeys | None) -> list[dict[str, Any]]:
    """Those of the keys by which any of the texts is sealed; ``key_is_back`` where the file has the key again."""
    from console.asking import plain
    from seamwatch.sealing import SubjectKey, key_id_of

    ids = sorted({key_id.hex() for text in texts if (key_id := key_id_of(text)) is not None})
    if not ids:
        return []
    rows = store.rows(
        "SELECT key_id, person, erased_at, reason FROM erasures WHERE key_id IN {ids:Array(String)} ORDER BY key_id",
        {"ids": ids},
    )
    return [
        plain(row)
        | {"key_is_back": keys is not None and isinstance(keys.find(bytes.fromhex(row["key_id"])), SubjectKey)}
        for row in rows
    ]


def _read(text: str, place: Place, keys: SubjectKeys | None, erased: AbstractSet[str]) -> str:
    from seamwatch.errors import SealError
    from seamwatch.sdk.sealer import ERASED, SEALED, opened
    from seamwatch.sealing import key_id_of

    key_id = key_id_of(text)
    if key_id is None:
        return text
    if key_id.hex() in erased:
        return ERASED
    try:
        found = opened(text, place, keys)
    except SealError:
        return "(sealed for another event or field, or changed since)"
    unknown = found == SEALED and keys is not None
    return "(sealed by a key that is not here, and of which no erasure is on record)" if unknown else found


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _print(answer: dict[str, Any]) -> None:
    from console.tables import print_text

    def line(name: str, told: str) -> None:
        print_text(f"{name:<11} {told}", indent="  ", further=" " * 14)

    said = f"{answer['decision'] or 'no decision'}" + (
        "" if answer["score"] is None else f", score {answer['score']:g}"
    )
    print_text(
        f"{answer['event_id']}  {answer['type']} of {answer['system']} at {answer['event_time']}: {said}", further="  "
    )
    served = ", ".join(
        f"{name} {answer[key]}"
        for name, key in (("version", "version"), ("configuration", "config_digest"), ("for", "use_case"))
        if answer[key]
    )
    line("served by", served or "an unnamed version")
    if answer["approval_id"] is None:
        claimed = f"; it claims {answer['claimed_approval']}" if answer["claimed_approval"] else ""
        line("approval", f"NONE for this version, configuration and use case{claimed}")
    else:
        until = f", until {answer['expires']}" if answer["expires"] else ""
        line("approval", f"{answer['approval_id']} by {answer['approved_by']} on {answer['approved_at'] or '?'}{until}")
    owner = f"{answer['owner_name'] or answer['owner']} ({answer['owner']})" if answer["owner"] else "nobody"
    line("owner", owner)
    line("contracts", ", ".join(answer["contracts"]) or "none; the defaults apply")
    if answer["escalation"]:
        line("paged", " then ".join(answer["escalation"]))
    for title in ("attributes", "arguments"):
        if answer.get(title):
            line(title, ", ".join(f"{name}: {value}" for name, value in answer[title].items()))
    for row in answer["erasures"]:
        why_so = f": {row['reason']}" if row["reason"] else ""
        again = f"; BUT THE KEY IS BACK: seamwatch erase --key-id {row['key_id']}" if row["key_is_back"] else ""
        line("erased", f"key {row['key_id']} by {row['person']} at {row['erased_at']}{why_so}{again}")
    line("on record", f"{answer['topic']}, partition {answer['partition']}, offset {answer['offset']}")
    for row in answer["violations"]:
        line(row["severity"], f"{row['contract']}/{row['clause']} ({_standing(row)}): {row['summary']}")
        line("", row["violation_id"])


def _standing(row: dict[str, Any]) -> str:
    """What an episode asks of whom; of what is over nobody has to act any more."""
    if row["state"] == "resolved":
        return f"over since {row['resolved_at']}"
    acting = (
        f"taken on by {row['acknowledged_by']}" if row["acknowledged_by"] else f"{row['person'] or 'nobody'} must act"
    )
    return f"{row['state']}, {acting}"
