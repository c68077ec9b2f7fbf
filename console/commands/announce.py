"""`seamwatch announce`: a change is announced ahead, with the signatures that it needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from statements.published import Published

Person = Annotated[str, typer.Option("--as", help="who says so: the id of a Person document", metavar="PERSON")]
AsJson = Annotated[bool, typer.Option("--json", help="print the event as one object")]
Data = Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(announce)


def announce(
    kind: Annotated[
        str | None, typer.Argument(metavar="KIND", help="what changes: model, threshold, prompt, …")
    ] = None,
    *,
    person: Person,
    key: Annotated[Path | None, typer.Option(help="your Ed25519 private key, to sign the change with")] = None,
    system: Annotated[str | None, typer.Option(help="the system that changes")] = None,
    to: Annotated[str | None, typer.Option(help="the value after, such as the version or the threshold")] = None,
    before: Annotated[str | None, typer.Option("--from", help="the value before")] = None,
    digest: Annotated[str | None, typer.Option(help="the configuration digest that traffic will carry")] = None,
    effective: Annotated[str | None, typer.Option(help="when it takes effect; now when absent")] = None,
    summary: Annotated[str, typer.Option(help="the change in a sentence")] = "",
    change_id: Annotated[str | None, typer.Option("--id", help="names the change; made when absent")] = None,
    draft: Annotated[
        Path | None, typer.Option(help="write it to this new file, for others to sign, instead of announcing it")
    ] = None,
    file: Annotated[Path | None, typer.Option(help="announce the draft in this file")] = None,
    unsigned: Annotated[
        bool, typer.Option(help="announce it although signatures that were agreed are missing")
    ] = False,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Announce a change of a system, so that those it concerns can answer before it takes effect.

    What others must sign is drafted first, with --draft FILE; each signs it with `cosign`; --file FILE announces it.
    Exit 1, and nothing is sent, when a signature that a contract asks for is missing.

    Example: seamwatch announce model --system scorer --to 2.2 --effective 2026-12-10T09:00:00Z --as owner@example.org
    """
    from console.drafts import add_signature, read_draft, write_draft
    from console.reach import reach
    from seamwatch.errors import UsageError
    from statements.published import Published

    given = {"KIND": kind, "--system": system, "--to": to, "--from": before, "--digest": digest, "--id": change_id,
             "--effective": effective, "--draft": draft}  # fmt: skip
    published = Published(reach(data))
    keys = published.keys_of(person)
    if file is None:
        if kind is None or system is None:
            raise UsageError("say what changes: KIND and --system; or name a draft with --file")
        published.demand_system(system)
        record = _change(published.now, kind, system, before, to, digest, effective, summary, change_id, person)
    elif further := [name for name, value in given.items() if value is not None] + (["--summary"] if summary else []):
        raise UsageError(f"{further[0]} is said by the draft: leave it out, or write another draft")
    else:
        record = read_draft(file)
        if record.get("withdrawn"):
            raise UsageError(f"{file}: it takes a change back; `seamwatch withdraw` does that")
        if record["announced_by"] != person:
            raise UsageError(f"{file}: it is {record['announced_by']} who announces this, not {person}")
    record["event_time"] = published.now
    if key is not None:
        add_signature(record, person, keys, key)
    if draft is not None:
        write_draft(draft, record)
        print(f"{draft}: change {record['change_id']}, not announced yet; {_to_sign(published, record, draft)}")
        return
    missing = _missing(published, record)
    if missing and not unsigned:
        _refuse(missing, file, person)
    published.send("config_change", record)
    if as_json:
        print(json.dumps({"type": "config_change", **record}, ensure_ascii=False))
        return
    print(f"{person} announced {record['kind']} change {record['change_id']} of {record['system']}")
    for line in _what_follows(published, record):
        print(line)


def _change(
    now: int,
    kind: str,
    system: str,
    before: str | None,
    to: str | None,
    digest: str | None,
    effective: str | None,
    summary: str,
    change_id: str | None,
    person: str,
) -> dict[str, Any]:
    from typing import get_args

    from console.moments import moment_of
    from seamwatch.clauses.change_notice import ChangeKind
    from seamwatch.errors import UsageError
    from seamwatch.wire.events import new_event_id
    from seamwatch.wire.schemas import nearest

    kinds = get_args(ChangeKind)
    if kind not in kinds:
        raise UsageError(f"{kind!r} is no kind of change{nearest(kind, kinds) or ': it is one of ' + ', '.join(kinds)}")
    if to is None and digest is None:
        raise UsageError("say what comes after: --to, --digest or both")
    event_id = new_event_id()
    return {
        "event_id": event_id,
        "event_time": now,
        "producer": "seamwatch announce",
        "system": system,
        "change_id": change_id or f"CHG-{event_id}",
        "kind": kind,
        "from_value": before,
        "to_value": to,
        "config_digest": digest,
        "effective_at": now if effective is None else moment_of("--effective", effective, back=False),
        "summary": summary,
        "announced_by": person,
        "signatures": [],
    }


def _missing(published: Published, record: dict[str, Any]) -> list[str]:
    """The persons whose valid signature a threshold clause in force asks for, and who have not signed."""
    from seamwatch.clauses.threshold import Threshold

    missing: dict[str, None] = {}
    for bound in published.clauses(record["system"], "threshold"):
        if isinstance(bound.clause, Threshold):
            missing.update(dict.fromkeys(bound.clause.unsigned_by(bound.seam, record)))
    return list(missing)


def _refuse(missing: list[str], file: Path | None, by: str) -> None:
    from seamwatch.errors import SeamwatchError
    from seamwatch.remedies import KEY_FILE

    first = "" if file is not None else "write it with --draft FILE, then "
    draft = file or "FILE"
    raise SeamwatchError(
        f"not announced: the contract asks for the signature of {', '.join(missing)}; {first}"
        f"`seamwatch cosign {draft} --as {missing[0]} --key {KEY_FILE}` and "
        f"`seamwatch announce --file {draft} --as {by}`"
    )


def _to_sign(published: Published, record: dict[str, Any], draft: Path) -> str:
    from seamwatch.remedies import KEY_FILE

    missing = _missing(published, record)
    if not missing:
        return f"announce it with `seamwatch announce --file {draft} --as {record['announced_by']}`"
    return f"to be signed by {', '.join(missing)}: `seamwatch cosign {draft} --as {missing[0]} --key {KEY_FILE}`"


def _what_follows(published: Published, record: dict[str, Any]) -> list[str]:
    """Who must answer until when, and what of the announcement is against a contract already."""
    from seamwatch.clauses.change_notice import ChangeNotice
    from seamwatch.durations import format_duration
    from seamwatch.judging.patterns.wording import moment_text
    from seamwatch.remedies import ack_command

    said = []
    for bound in published.clauses(record["system"], "change_notice"):
        clause = bound.clause
        if not isinstance(clause, ChangeNotice) or not clause.concerns(record["kind"]):
            continue
        ahead = record["effective_at"] - record["event_time"]
        soon = f"in {format_duration(ahead)}" if ahead > 0 else "at once"
        if clause.notice_before is not None and ahead < clause.notice_before:
            said.append(
                f"short notice: it takes effect {soon}, and {bound.seam.contract} agreed "
                f"{format_duration(clause.notice_before)} ahead"
            )
        until = moment_text(record["event_time"] + clause.acknowledge_within)
        said.extend(
            f"{who} has until {until} to answer: {ack_command(record['change_id'], who, signs=published.signs(who))}"
            for who in clause.acknowledgers
        )
    return said or ["no contract in force asks anybody to answer it"]
