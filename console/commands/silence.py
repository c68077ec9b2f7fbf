"""`seamwatch silence`: a person holds back the pages of a system for a while, for a reason, or lifts that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

if TYPE_CHECKING:
    from seamwatch.clauses.silence.statement import Statement

_PATIENCE_SECONDS: Final = 15.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(silence)


def silence(
    system: Annotated[str, typer.Argument(help="the id of a declared system")],
    person: Annotated[str, typer.Option("--as", help="who asks: the id of a Person document", metavar="PERSON")],
    reason: Annotated[str, typer.Option(help="why; of --lift why no longer")],
    key: Annotated[
        Path | None, typer.Option(help="your Ed25519 private key, to sign with; needed when your Person has keys")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="when it ends: a duration from now (2h) or a time (RFC 3339)", metavar="WHEN")
    ] = None,
    clause: Annotated[
        str | None,
        typer.Option(help="of one contract, or of one clause of it: <contract>#<clause>  [default: of all]"),
    ] = None,
    lift: Annotated[
        str | None, typer.Option(help="end the silence of this id, which `seamwatch silences` lists", metavar="SILENCE")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print each statement as one object")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Hold back the pages of a system until a time; episodes go on, and what is still open then is told.

    It is told to somebody else than who asks for it, stands among what is open, and ends by itself. Exit 1, and nothing
    is held back, when it does not count: for the owner or a party to ask, and for 7 days at most unless a contract
    agrees otherwise.

    Example: seamwatch silence credit-model --until 2h --reason "load test" --as owner@example.org --key owner.pem
    """
    from console.reach import reach
    from console.signing import sign_as
    from seamwatch.clauses.silence.statement import Begun, Lifted
    from seamwatch.errors import SeamwatchError, UnreachableError, UsageError
    from seamwatch.instants import format_instant
    from seamwatch.settings import load_settings
    from seamwatch.signatures import attestation_bytes
    from seamwatch.wire.events import new_event_id
    from statements.published import Published
    from statements.review import demand_effect, submit
    from statements.silence import draft, silenced

    if (until is None) == (lift is None):
        raise UsageError("say until when, with --until, or which silence is to end, with --lift")
    if not reason.strip():
        raise UsageError("--reason says nothing")
    where, now = reach(data), load_settings().clock().now()
    published = Published(where)
    bound, name = silenced(published, system, clause)
    keys = published.keys_of(person)
    said: Statement = Lifted(why=reason)
    if until is not None:
        said = Begun(clause=name, until=format_instant(_end("--until", until, now)), reason=reason)
    named = lift or new_event_id()[-12:]
    events: list[dict[str, Any]] = []
    for one in bound:
        event = draft(one, named, person, said, now)
        event["key_id"], event["signature"] = sign_as(attestation_bytes(event), person, keys, key)
        demand_effect(one, event)
        events.append(event)
    verdicts = submit(where, events, _PATIENCE_SECONDS)
    if as_json:
        for event in events:
            print(json.dumps(event, ensure_ascii=False))
    refused = [verdict["summary"] for verdict in verdicts if verdict is not None and not verdict["counted"]]
    # Of several contracts a silence to be lifted may be of one.
    if refused and (lift is None or len(refused) == len(verdicts)):
        raise SeamwatchError("; ".join(f"it does not count: {why}" for why in refused))
    if None in verdicts:
        raise UnreachableError(
            "it was sent, and is on record, but no judge has said whether it counts: is one running?"
        )
    if not as_json:
        for verdict in verdicts:
            if verdict is not None and verdict["counted"]:
                print(f"{named}  {system}, {verdict['contract']}: {verdict['summary']}")


def _end(option: str, text: str, now: int) -> int:
    """The time that it ends: a duration from now, or a time. Raises UsageError for what is neither."""
    from seamwatch.durations import parse_duration
    from seamwatch.errors import UsageError
    from seamwatch.instants import parse_instant

    try:
        return now + parse_duration(text)
    except ValueError:
        pass
    try:
        return parse_instant(text)
    except ValueError:
        raise UsageError(
            f"{option} {text}: write a duration such as 2h, or a time such as 2026-03-02T10:00:00Z"
        ) from None
