"""`seamwatch ack`: a person takes a violation on, or answers a change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(ack)


def ack(
    reference: Annotated[
        str, typer.Argument(help="the id of a violation or summary (or its beginning), or a change_id")
    ],
    person: Annotated[str, typer.Option("--as", help="who answers: the id of a Person document", metavar="PERSON")],
    key: Annotated[
        Path | None, typer.Option(help="your Ed25519 private key, to sign with; needed when your Person has keys")
    ] = None,
    objection: Annotated[bool, typer.Option("--object", help="object instead of accept")] = False,
    retract: Annotated[
        bool, typer.Option("--retract", help="take back that a violation was taken on: its clock starts anew")
    ] = False,
    note: Annotated[str | None, typer.Option(help="what else is to be said")] = None,
    wait: Annotated[
        str, typer.Option(help="how long to wait for the judge to say whether it counts; 0s sends it and asks nobody")
    ] = "15s",
    as_json: Annotated[
        bool, typer.Option("--json", help="print the acknowledgement as one object, with the judge's verdict")
    ] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Acknowledge a violation, a change, or the receipt of a summary: paging stops, and the answer is on record.

    With --retract a violation that was taken on waits again for whoever had to act.

    Exit 1 when the answer does not count, which the judge says, and why (docs/paging.md has every reason); 3 when no
    judge has said anything in time, though the answer was sent.

    Example: seamwatch ack 4f1c2a9be0d7 --as owner@example.org --note "feed restarted"
    """
    from console.asking import auditor
    from console.reach import reach
    from console.signing import sign_as
    from console.waiting import seconds_of
    from seamwatch.errors import SeamwatchError, UnreachableError, UsageError
    from seamwatch.settings import load_settings
    from seamwatch.signatures import acknowledgement_bytes
    from sinks.store.questions.published import keys as published_keys
    from statements import answer
    from statements.persons import keys_of
    from statements.published import Published

    if objection and retract:
        raise UsageError("--object and --retract are two answers: give one")
    said: Literal["accept", "object", "retract"] = "object" if objection else "retract" if retract else "accept"
    patience, announced = seconds_of(wait), None
    system = reach(data)
    with auditor(data) as store:
        found = answer.meant(store, system, reference, patience)
        if retract and found.of != "violation":
            raise UsageError(f"--retract takes back that a violation was taken on; {found.reference} is a {found.of}")
        keys = keys_of(person, published_keys(store))
        if found.of == "change":
            announced = answer.announcement(store, Published(system), found, reference)
            found = answer.told(found, announced)
    event = answer.draft(found, person, said, note, load_settings().clock().now(), "seamwatch ack", announced)
    event["key_id"], event["signature"] = sign_as(acknowledgement_bytes(event), person, keys, key)
    verdict = answer.submit(system, event, patience)
    if as_json:
        print(json.dumps(event | {"verdict": _fields(verdict)}, ensure_ascii=False))
    if verdict is None and patience:
        raise UnreachableError(
            f"the answer was sent, and is on record, but no judge has said within {wait} whether it counts: is one "
            "running? `seamwatch acknowledgements` tells it when one has"
        )
    if verdict is not None and not verdict["counted"]:
        raise SeamwatchError(f"the answer does not count: {verdict['summary']}")
    if not as_json:
        verb = {"accept": "acknowledges", "object": "objects to", "retract": "takes back"}[said]
        sent = "" if patience else " (sent; nobody was asked whether it counts)"
        what = f": {found.summary}" if found.summary else ""  # a change may be announced without a word
        print(f"{person} {verb} {found.of} {found.reference} of {found.system}{what}{sent}")


def _fields(verdict: dict[str, Any] | None) -> dict[str, Any] | None:
    """What of a verdict its answerer does not know."""
    names = ("counted", "reason", "summary", "contract", "contract_version", "clause")
    return None if verdict is None else {name: verdict[name] for name in names}
