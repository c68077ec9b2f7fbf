"""`seamwatch incident`: a person declares an episode a serious incident, and puts its drafts and receipts on record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

if TYPE_CHECKING:
    from console.declaring import Found
    from sinks.store.questions.incidents import Said

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
    from console.declaring import say
    from statements import incident

    def event(found: Found) -> dict[str, Any]:
        said = incident.declaration(found.violation, kind, aware, note, found.now, found.declared)
        stands = [one for one in found.declared if one.owes is not None]
        if stands:
            bound = incident.declared_under(found.seams, found.violation, stands, found.now)[0]
        else:
            bound = incident.taking(found.seams, found.violation, person, found.now)
        return found.event(bound, person, said)

    say(violation, person, key, wait, as_json, data, event, "has declared violation {} an incident")


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
    from console.declaring import say
    from statements import incident

    def event(found: Found) -> dict[str, Any]:
        return found.event(found.under(), person, incident.withdrawal(reason))

    say(violation, person, key, wait, as_json, data, event, "has withdrawn that violation {} is an incident")


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
    from console.declaring import drafted_now, kept, say
    from seamwatch.errors import UsageError
    from statements import incident

    if person is None:
        if file is not None or at is not None or key is not None:
            raise UsageError("say whose draft is put on record: --as")
        print(drafted_now(violation, wait, data))
        return
    author: str = person

    def event(found: Found) -> dict[str, Any]:
        text, digest = (found.draft(), None) if file is None else kept(file, at)
        said = incident.report("draft", content=text, sha256=digest)
        return found.event(found.under(), author, said, at)

    say(violation, author, key, wait, as_json, data, event, "has put a draft of the report of violation {} on record")


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
    from console.declaring import digest_of, say
    from statements import incident

    digest = None if file is None else digest_of(file)
    said = incident.report("initial" if initial else "complete", to=to, sha256=digest, note=note)

    def event(found: Found) -> dict[str, Any]:
        return found.event(found.under(), person, said, receipt)

    stage = "initial" if initial else "complete"
    say(violation, person, key, wait, as_json, data, event, f"has sent the {stage} report of violation {{}}")


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
