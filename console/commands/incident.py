"""`seamwatch incident`: a person declares an episode a serious incident, and puts its drafts and receipts on record."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

if TYPE_CHECKING:
    from seamwatch.engine.seams import BoundClause, Seams
    from seamwatch.judging.model.facts import Violation
    from sinks.store.client import Store
    from sinks.store.questions.incidents import Incident, Said

Reference = Annotated[str, typer.Argument(metavar="VIOLATION", help="the id of the violation, or its beginning")]
Person = Annotated[str, typer.Option("--as", help="who says it: the id of a Person document", metavar="PERSON")]
Key = Annotated[
    Path | None, typer.Option(help="your Ed25519 private key, to sign with; needed when your Person has keys")
]
Wait = Annotated[
    str, typer.Option(help="how long to wait for the judge to say whether it counts; 0s sends it and asks nobody")
]
AsJson = Annotated[bool, typer.Option("--json", help="print the event as one object, with the judge's verdict")]
Data = Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")]
_PATIENCE: Final = "15s"
_PRODUCER: Final = "seamwatch incident"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Episodes that are serious incidents, and their reports.", no_args_is_help=True)
    group.command("declare")(declare)
    group.command("withdraw")(withdraw)
    group.command("draft")(draft)
    group.command("report")(report)
    group.command("show")(show)
    app.add_typer(group, name="incident")


def declare(
    violation: Reference,
    person: Person,
    note: Annotated[str, typer.Option(help="what happened, in a sentence")],
    kind: Annotated[
        str | None,
        typer.Option(help="the kind, as the clause has it (serious, death, …); as before when absent"),
    ] = None,
    aware: Annotated[
        str | None, typer.Option(help="since when one is aware of it (RFC 3339); now, or as before, when absent")
    ] = None,
    key: Key = None,
    wait: Wait = _PATIENCE,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Declare an episode a serious incident, so that its report is due; or say anew of which kind it is.

    The clock runs from when one is aware of it. What is said anew makes it shorter, and never longer. Nothing is sent
    when it would not count (exit 1). Exit 1 as well when the judge says that it does not count, and why; 3 when no
    judge has said anything in time, though it was sent.

    Example: seamwatch incident declare 4f1c2a9be0d7 --kind death --as owner@example.org --note "a patient has died"
    """
    from statements import incident

    def event(found: _Found) -> dict[str, Any]:
        said = incident.declaration(found.violation, kind, aware, note, found.now, found.declared)
        stands = [one for one in found.declared if one.owes is not None]
        if stands:
            bound = incident.declared_under(found.seams, found.violation, stands, found.now)[0]
        else:
            bound = incident.taking(found.seams, found.violation, person, found.now)
        return found.event(bound, person, said)

    _say(violation, person, key, wait, as_json, data, event, "has declared violation {} an incident")


def withdraw(
    violation: Reference,
    person: Person,
    reason: Annotated[str, typer.Option(help="why it is no incident")],
    key: Key = None,
    wait: Wait = _PATIENCE,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Withdraw the declaration of an incident, with a reason that stays on record; nothing is owed any more.

    Exit codes as of `declare`.

    Example: seamwatch incident withdraw 4f1c2a9be0d7 --as owner@example.org --reason "no person was concerned"
    """
    from statements import incident

    def event(found: _Found) -> dict[str, Any]:
        return found.event(found.under(), person, incident.withdrawal(reason))

    _say(violation, person, key, wait, as_json, data, event, "has withdrawn that violation {} is an incident")


def draft(
    violation: Reference,
    person: Annotated[
        str | None,
        typer.Option("--as", help="who puts the draft on record; printed when absent", metavar="PERSON"),
    ] = None,
    file: Annotated[Path | None, typer.Option(help="the draft; what the record knows when absent")] = None,
    at: Annotated[str | None, typer.Option(help="where the file is kept: a URI; its SHA-256 goes on record")] = None,
    key: Key = None,
    wait: Wait = _PATIENCE,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Print a draft of the report: what is on record of the episode, and what somebody must add. With --as, keep one.

    A draft stops no clock. One of more than 12,000 characters is kept at --at, and its digest on record.

    Example: seamwatch incident draft 4f1c2a9be0d7 > draft.md
    """
    from seamwatch.errors import UsageError
    from statements import incident

    if person is None:
        if file is not None or at is not None or key is not None:
            raise UsageError("say whose draft is put on record: --as")
        print(_drafted(violation, wait, data))
        return
    author: str = person

    def event(found: _Found) -> dict[str, Any]:
        text, digest = (found.draft(), None) if file is None else _kept(file, at)
        said = incident.report("draft", content=text, sha256=digest)
        return found.event(found.under(), author, said, at)

    _say(violation, author, key, wait, as_json, data, event, "has put a draft of the report of violation {} on record")


def report(
    violation: Reference,
    person: Person,
    receipt: Annotated[str, typer.Option(help="where the authority's receipt lies: a URI")],
    initial: Annotated[
        bool, typer.Option("--initial", help="the report is not complete; the complete one is owed then")
    ] = False,
    to: Annotated[str | None, typer.Option(help="the authority that it was sent to")] = None,
    file: Annotated[Path | None, typer.Option(help="the receipt, or what was sent; its SHA-256 goes on record")] = None,
    note: Annotated[str | None, typer.Option(help="what else is to be said of it")] = None,
    key: Key = None,
    wait: Wait = _PATIENCE,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Put on record that the report of an incident was sent, and where its receipt lies. It stops the clock.

    Exit codes as of `declare`.

    Example: seamwatch incident report 4f1c2a9be0d7 --receipt https://example.org/r/1 --as owner@example.org
    """
    from statements import incident

    digest = None if file is None else _digest(_bytes(file))
    said = incident.report("initial" if initial else "complete", to=to, sha256=digest, note=note)

    def event(found: _Found) -> dict[str, Any]:
        return found.event(found.under(), person, said, receipt)

    stage = "initial" if initial else "complete"
    _say(violation, person, key, wait, as_json, data, event, f"has sent the {stage} report of violation {{}}")


def show(
    violation: Reference,
    as_json: Annotated[bool, typer.Option("--json", help="one object a declaration, draft or report")] = False,
    data: Data = None,
) -> None:
    """Show all that was said of an incident and counts, oldest first: declarations, drafts, receipts.

    Exit 1 when nothing was.

    Example: seamwatch incident show 4f1c2a9be0d7
    """
    from console.asking import auditor, print_lines
    from console.reach import reach
    from console.tables import print_table
    from seamwatch.judging.patterns.wording import moment_text
    from sinks.store.questions.incidents import said_of
    from statements.violations import violation_meant

    with auditor(data) as store:
        found = violation_meant(store, reach(data), violation, 0, "seamwatch incidents --over")
        said = said_of(store, found.violation_id)
    if as_json:
        print_lines(_record(one) for one in said)
    else:
        print_table(
            ("AT", "PERSON", "CLAUSE", "SAID", "WHERE", "WHAT"),
            (
                (
                    moment_text(one.at),
                    one.person,
                    f"{one.contract}/{one.clause}",
                    *_words(one),
                )
                for one in said
            ),
            empty=f"violation {found.violation_id} is not declared an incident",
        )
    raise typer.Exit(not said)


def _words(one: Said) -> tuple[str, str, str]:
    from seamwatch.clauses.incident.statement import Declaration, Withdrawal

    if isinstance(one.stated, Declaration):
        return f"incident ({one.stated.kind}), aware since {one.stated.aware}", "", one.stated.note
    if isinstance(one.stated, Withdrawal):
        return "withdrawn", "", one.stated.withdrawn
    what = "draft" if one.stated.stage == "draft" else f"{one.stated.stage} report sent"
    said = one.stated.note or one.stated.to or (one.stated.content or "").partition("\n")[0]
    return what, one.evidence_uri or "", said


def _record(one: Said) -> dict[str, Any]:
    from seamwatch.instants import format_instant

    return {
        "event_id": one.event_id, "at": format_instant(one.at), "person": one.person, "contract": one.contract,
        "clause": one.clause, "evidence_uri": one.evidence_uri, "stated": one.stated.model_dump(mode="json"),
    }  # fmt: skip


class _Found:
    """A violation, what is on record of it, and the documents in force."""

    def __init__(self, violation: Violation, declared: list[Incident], text: Callable[[], str], seams: Seams, now: int):
        self.violation, self.declared, self.draft, self.seams, self.now = violation, declared, text, seams, now
        self.bound: BoundClause | None = None

    def under(self) -> BoundClause:
        """The clause under which it was declared."""
        from statements import incident

        return incident.declared_under(self.seams, self.violation, self.declared, self.now)[0]

    def event(self, bound: BoundClause, person: str, said: Any, evidence_uri: str | None = None) -> dict[str, Any]:
        """What is sent, unsigned."""
        from statements import incident

        self.bound = bound
        return incident.draft_event(bound, self.violation, person, said, self.now, _PRODUCER, evidence_uri)


def _say(
    violation: str,
    person: str,
    key: Path | None,
    wait: str,
    as_json: bool,
    data: Path | None,
    make: Callable[[_Found], dict[str, Any]],
    told: str,
) -> None:
    """Make the event, sign it, send it, and say what the judge makes of it."""
    from console.asking import auditor
    from console.reach import reach
    from console.signing import sign_as
    from console.waiting import seconds_of
    from seamwatch.engine.seams import Seams
    from seamwatch.errors import SeamwatchError, UnreachableError
    from seamwatch.settings import load_settings
    from seamwatch.signatures import attestation_bytes
    from statements import review
    from statements.incident_draft import drafted
    from statements.published import Published
    from statements.violations import violation_meant

    patience, system = seconds_of(wait), reach(data)
    settings = load_settings()
    with auditor(data) as store:
        meant = violation_meant(store, system, violation, patience, "seamwatch violations")
        declared = _declared(store, meant, patience, system)
        published = Published(system)
        keys = published.keys_of(person)
        seams, now = Seams(published.estate, settings.default_owner), settings.clock().now()
        found = _Found(meant, declared, lambda: drafted(store, published.estate, meant, declared, now), seams, now)
        event = make(found)
    event["key_id"], event["signature"] = sign_as(attestation_bytes(event), person, keys, key)
    assert found.bound is not None
    review.demand_effect(found.bound, event)
    (verdict,) = review.submit(system, [event], patience)
    if as_json:
        print(json.dumps(event | {"verdict": verdict and _fields(verdict)}, ensure_ascii=False))
    elif verdict is None or verdict["counted"]:
        sent = "sent; no judge has said whether it counts" if verdict is None else verdict["summary"]
        print(f"{person} {told.format(meant.violation_id)} ({sent})")
    if verdict is not None and not verdict["counted"]:
        raise SeamwatchError(f"it does not count: {verdict['summary']}")
    if patience and verdict is None:
        raise UnreachableError(
            f"it was sent, and is on record, but no judge has said within {wait} whether it counts: is one running? "
            "`seamwatch incidents` tells what is owed"
        )


def _declared(store: Store, violation: Violation, patience: float, system: Any) -> list[Incident]:
    """What was declared of it; what was said a moment ago is waited for."""
    from statements.incident import incidents_of
    from statements.recorded import once_recorded

    return once_recorded(
        store, system, ("attestation", "verdict"), lambda: incidents_of(store, violation), patience
    )  # fmt: skip


def _drafted(violation: str, wait: str, data: Path | None) -> str:
    from console.asking import auditor
    from console.reach import reach
    from console.waiting import seconds_of
    from seamwatch.settings import load_settings
    from statements.incident import incidents_of
    from statements.incident_draft import drafted
    from statements.published import Published
    from statements.violations import violation_meant

    system = reach(data)
    with auditor(data) as store:
        meant = violation_meant(store, system, violation, seconds_of(wait), "seamwatch violations")
        estate = Published(system).estate
        return drafted(store, estate, meant, incidents_of(store, meant), load_settings().clock().now())


def _kept(file: Path, at: str | None) -> tuple[str | None, str | None]:
    """The text of a draft or, where it is kept elsewhere, its digest."""
    from seamwatch.errors import UsageError

    content = _bytes(file)
    if at is not None:
        return None, _digest(content)
    try:
        return content.decode("utf-8"), None
    except UnicodeDecodeError:
        raise UsageError(f"{file} is no text: say where it is kept with --at, and its digest goes on record") from None


def _bytes(file: Path) -> bytes:
    from seamwatch.errors import UsageError

    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from None


def _digest(content: bytes) -> str:
    from hashlib import sha256

    return sha256(content).hexdigest()


def _fields(verdict: dict[str, Any]) -> dict[str, Any]:
    """What of a verdict its author does not know."""
    return {name: verdict[name] for name in ("counted", "reason", "summary", "contract", "contract_version", "clause")}
