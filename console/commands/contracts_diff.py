"""`seamwatch contracts diff`: what a change of contracts changes, before anybody signs it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from seamwatch.documents.contract import Contract
    from seamwatch.documents.differences import ContractDifference
    from seamwatch.documents.people_and_systems import DocumentDifference
    from seamwatch.documents.signing_verdicts import Verdict


def add(group: typer.Typer) -> None:
    """Add it to the group `contracts`."""
    group.command()(diff)


def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="folder or file of contracts as they were")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="folder or file of contracts as they are to be")],
    more: Annotated[
        list[str] | None, typer.Argument(metavar="[EVENTS...]", help="with --replay: further files of events")
    ] = None,
    replay: Annotated[
        list[str] | None,
        typer.Option(metavar="EVENTS", help="judge this history by both: files as `seamwatch replay` takes them"),
    ] = None,
    from_store: Annotated[bool, typer.Option("--from-store", help="judge the decision store's events by both")] = False,
    since: Annotated[str | None, typer.Option(help="as in `seamwatch replay`")] = None,
    until: Annotated[str | None, typer.Option(help="as in `seamwatch replay`")] = None,
    now: Annotated[str | None, typer.Option(help="as in `seamwatch replay`")] = None,
    record_type: Annotated[str | None, typer.Option("--type", help="as in `seamwatch replay`")] = None,
    data: Annotated[Path | None, typer.Option(help="as in `seamwatch replay`")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object instead of lines")] = False,
) -> None:
    """What differs between two states of contracts, clause by clause, and who must sign anew.

    A parameter is loosened or tightened where that can be told, else changed. With a history, also what would change:
    the episodes that only one of the two finds, and those that both find otherwise. Persons and systems are compared
    too: keys, owners, versions, digests, approvals. Exit 0 when all is the same (and would find the same), 1 when
    anything differs, as `diff` does.

    Example: seamwatch contracts diff contracts/insurer.yaml contracts/fintech.yaml --replay history.ndjson
    """
    from console.history import Asked
    from console.lines import Complaints
    from console.moments import moment_of
    from console.what_if import judged_by_both, read_state
    from seamwatch.documents.differences import differences
    from seamwatch.documents.people_and_systems import document_differences
    from seamwatch.errors import UsageError

    asked = Asked([*(replay or ()), *(more or ())], from_store, since, until, record_type, data)
    clock = moment_of("--now", now, back=False)
    judges = bool(replay) or from_store
    if judges:
        asked.check()
    elif more:
        raise UsageError(f"{more[0]}: a third argument is a history: say --replay before it")
    elif any(option is not None for option in (since, until, now, record_type, data)):
        raise UsageError("--since, --until, --now, --type and --data are of a history: add --replay or --from-store")
    before, after = read_state(old), read_state(new)
    complaints = Complaints()
    found = differences(before.contracts, after.contracts)
    others = document_differences(
        (
            *before.persons.values(),
            *before.systems.values(),
            *before.rotas.values(),
            *(term.policy for term in before.policies),
        ),
        (
            *after.persons.values(),
            *after.systems.values(),
            *after.rotas.values(),
            *(term.policy for term in after.policies),
        ),
    )
    signatures = _signatures(new, found)
    judged = judged_by_both(before, after, asked, clock, complaints) if judges else None
    if as_json:
        lines = {"contracts": [_plain(d, signatures) for d in found], "documents": [asdict(d) for d in others]}
        print(json.dumps(lines | ({} if judged is None else {"replay": judged.plain()}), ensure_ascii=False))
    else:
        for difference in found:
            print("\n".join(_lines(difference, signatures)))
        for other in others:
            print("\n".join(_of_document(other)))
        if not found and not others:
            print("the contracts are the same")
        if judged is not None:
            judged.show()
    raise typer.Exit(bool(found or others or complaints.count or (judged is not None and judged.comparison.changes)))


def _signatures(new: Path, found: Sequence[ContractDifference]) -> dict[str, list[Verdict]]:
    """By contract, the verdicts over who must sign what it has become."""
    from seamwatch.documents.loading import read_folder
    from seamwatch.documents.signing_verdicts import contract_verdicts
    from seamwatch.settings import load_settings

    verdicts, _ = contract_verdicts(read_folder(new)[0], load_settings().clock().now())
    keys = {d.id: d.after.key for d in found if d.after is not None}
    return {name: [v for v in verdicts if v.document == key and v.roles] for name, key in keys.items()}


def _lines(difference: ContractDifference, signatures: dict[str, list[Verdict]]) -> Iterator[str]:
    was, now = difference.before, difference.after
    versions = [f"version {contract.version}" for contract in (was, now) if contract is not None]
    versions_text = versions[0] if len(set(versions)) == 1 else " → ".join(versions)
    yield f"{difference.id}  {difference.what}, {versions_text}"
    for change in difference.fields:
        yield f"  {change.direction:<9}  {_change_text(change)}"
    for clause in difference.clauses:
        name = f"clause {clause.id} ({clause.kind})"
        if clause.what != "changed":
            way = {"added": "tightened", "removed": "loosened"}[clause.what]
            yield f"  {way:<9}  {name} {clause.what}"
        for change in clause.changes:
            yield f"  {change.direction:<9}  {name}: {_change_text(change)}"
    if difference.what == "changed" and not difference.fields and not difference.clauses:
        same = was is not None and now is not None and was.version != now.version
        yield "  same       " + ("nothing but the version differs" if same else "only written differently")
    if difference.same_version:
        yield "  note       the version is the same: give what was changed a new one"
    for verdict in signatures.get(difference.id, ()):
        if not verdict.holds:
            yield f"  must sign  {verdict.person or 'nobody named'} ({', '.join(verdict.roles)})"


def _of_document(difference: DocumentDifference) -> Iterator[str]:
    yield f"{difference.key}  {difference.what}"
    for part in difference.parts:
        values = {
            "added": f" {_value(part.after)}",
            "removed": f" {_value(part.before)}",
            "changed": f" {_value(part.before)} → {_value(part.after)}",
        }[part.what]
        yield f"  {part.what:<9}  {part.name}{values}"
    if difference.what == "changed" and not difference.parts:
        yield "  same       only written differently"


def _change_text(change: Any) -> str:
    return f"{change.name} {_value(change.before)} → {_value(change.after)}"


def _value(value: Any) -> str:
    if value is None:
        return "not given"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _plain(difference: ContractDifference, signatures: dict[str, list[Verdict]]) -> dict[str, Any]:
    return {
        "contract": difference.id,
        "what": difference.what,
        "before": _named(difference.before),
        "after": _named(difference.after),
        "same_version": difference.same_version,
        "fields": [asdict(change) for change in difference.fields],
        "clauses": [asdict(clause) for clause in difference.clauses],
        "signatures": [
            {"person": v.person, "roles": v.roles, "status": v.status} for v in signatures.get(difference.id, ())
        ],
    }


def _named(contract: Contract | None) -> dict[str, str] | None:
    return None if contract is None else {"version": contract.version, "digest": contract.digest}
