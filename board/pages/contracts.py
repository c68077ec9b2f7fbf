"""A contract: its clauses as they stand now, who signed which version, and what differs between two of them.

The text is that of the topics, so the page stands while the store is away; signatures and episodes are asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from board.page import Page, Signed
from board.pages.episodes import terms_of
from board.sections import Section, Sections
from seamwatch.documents import Contract
from seamwatch.documents.differences import Change, ContractDifference, differences
from seamwatch.documents.estate import Term
from sinks.store.questions.burn import HOURS, agreed_text, burning, rates_text, said
from sinks.store.questions.episodes import Wanted, episodes, number
from sinks.store.questions.names import names, unknown
from sinks.store.questions.rotas import standing_by_id
from sinks.store.questions.signatures import signatures

router = APIRouter(include_in_schema=False)

_EPISODES: Final = 20
_MOST_VERSIONS: Final = 50
_MOST_BURNS: Final = 100


@dataclass(frozen=True, slots=True)
class Subject:
    """A contract: all its versions that are published, oldest first, with their terms; and the one that is shown.

    ``terms`` is empty for one that is built in.
    """

    id: str
    versions: tuple[Contract, ...]
    terms: Mapping[str, Term]
    shown: Contract
    in_force: Contract | None


@router.get("/contracts/{contract:path}", response_class=HTMLResponse)
def contract_page(
    page: Signed,
    contract: str,
    version: str | None = None,
    before: Annotated[str | None, Query(alias="from")] = None,
    after: Annotated[str | None, Query(alias="to")] = None,
    whole: bool = False,
) -> HTMLResponse:
    """The whole page, with what differs from one version to another; by default from the last but one to the last."""
    subject = subject_of(page, contract, version)
    known = [each.version for each in subject.versions]
    for named in (before, after):
        if named is not None and named not in known:
            raise HTTPException(404, f"contract {contract} has no version {named}: it has {', '.join(known)}")
    if len(known) > 1:
        before, after = before or known[-2], after or known[-1]
    values = {
        "subject": subject,
        "chosen": (before, after),
        "difference": _difference(subject, before, after),
        "lines_of": lines_of,
        "sections": _SECTIONS.laid(page, contract, subject, whole=whole),
        "whole": whole,
        "rotas": standing_by_id(page.context.estate, page.now),
    }
    return page.render("contract.html", values | _clauses(page, subject))


@router.get("/parts/contracts/clauses", response_class=HTMLResponse)
def clauses(page: Signed, id: str, version: str | None = None) -> HTMLResponse:  # noqa: A002 - the name in the address
    """The clauses as they stand now."""
    return page.render("parts/contracts/clauses.html", _clauses(page, subject_of(page, id, version)))


@router.get("/parts/contracts/{section}", response_class=HTMLResponse)
def part(page: Signed, section: str, id: str) -> HTMLResponse:  # noqa: A002 - the name in the address
    """One section."""
    return _SECTIONS.part(page, section, lambda: subject_of(page, id, None))


def subject_of(page: Page, contract: str, version: str | None) -> Subject:
    """The contract of an id, and the version that is named, in force, or last. Raises HTTPException where none is."""
    estate = page.context.estate
    found = estate.versions_of(contract)
    if not found:
        raise HTTPException(404, _absent(page, contract))
    terms = {each.contract.version: each for each in estate.terms if each.contract.id == contract}
    now = page.now
    in_force = next((t.contract for t in terms.values() if t.valid_from <= now < t.valid_to), None)
    if not terms:
        in_force = found[-1]  # what is built in is in force wherever nothing else is
    shown = in_force or found[-1]
    if version is not None:
        named = next((each for each in found if each.version == version), None)
        if named is None:
            known = ", ".join(each.version for each in found)
            raise HTTPException(404, f"contract {contract} has no version {version}: it has {known}")
        shown = named
    return Subject(contract, found, terms, shown, in_force)


def _absent(page: Page, contract: str) -> str:
    with page.store() as store:
        known = names(store, "contract")
    if contract in known:
        return f"contract {contract} is not published any more; what it found is on the pages of its systems"
    return str(unknown("contract", contract, known))


def _clauses(page: Page, subject: Subject) -> dict[str, Any]:
    followed = [each.violation for each in page.open_episodes()]
    of_contract = [each for each in followed if each.contract == subject.id]
    return {
        "shown": subject.shown,
        "rows": [
            (
                clause,
                terms_of(subject.shown, clause.id) or {},
                sorted((e for e in of_contract if e.clause == clause.id), key=lambda e: -e.opened_at),
            )
            for clause in subject.shown.clauses
        ],
        "away_since": page.context.feed.away_since,
        "why_away": page.context.feed.why_away,
    }


def _difference(subject: Subject, before: str | None, after: str | None) -> ContractDifference | None:
    """What differs between two versions; None where nothing does, or there are not two."""
    by_version = {each.version: each for each in subject.versions}
    if before is None or after is None:
        return None
    return next(iter(differences([by_version[before]], [by_version[after]])), None)


def lines_of(difference: ContractDifference) -> Iterator[tuple[str, str]]:
    """Which way each part moved, and what it says, in the words of `seamwatch contracts diff`."""
    for change in difference.fields:
        yield change.direction, _moved(change)
    for clause in difference.clauses:
        name = f"clause {clause.id} ({clause.kind})"
        if clause.what != "changed":
            yield {"added": "tightened", "removed": "loosened"}[clause.what], f"{name} {clause.what}"
        for change in clause.changes:
            yield change.direction, f"{name}: {_moved(change)}"
    if not difference.fields and not difference.clauses:
        same = difference.before is not None and difference.after is not None and not difference.same_version
        yield "same", "nothing but the version differs" if same else "only written differently"


def _moved(change: Change) -> str:
    return f"{change.name} {_value(change.before)} → {_value(change.after)}"


def _value(value: Any) -> str:
    if value is None:
        return "not given"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _signatures(page: Page, subject: Subject) -> Mapping[str, Any]:
    versions: Sequence[Contract] = subject.versions[-_MOST_VERSIONS:] if subject.terms else ()
    with page.store() as store:
        found = signatures(store, [f"{subject.id}@{each.version}" for each in versions])
    rows = [
        (each, subject.terms[each.version], [one for one in found if one.version == each.version])
        for each in reversed(versions)
        if each.version in subject.terms
    ]
    return {"rows": rows, "in_force": subject.in_force, "built_in": not subject.terms}


def _episodes(page: Page, subject: Subject) -> Mapping[str, Any]:
    wanted = Wanted(contract=subject.id)
    with page.store() as store:
        found, in_all = episodes(store, wanted, _EPISODES), number(store, wanted)
    return {"episodes": found, "in_all": in_all}


def _burn(page: Page, subject: Subject) -> Mapping[str, Any]:
    with page.store() as store:
        found = burning(store, page.now, subject.id, hidden=page.hidden)
    return {
        "contract": subject.id,
        "rows": found[:_MOST_BURNS],
        "more": max(0, len(found) - _MOST_BURNS),
        "hours": HOURS,
        "agreed": agreed_text,
        "rates": rates_text,
        "said": said,
    }


_SECTIONS: Final[Sections[Subject]] = Sections(
    "contracts",
    (
        Section("burn", "How fast it is used up", _burn, "sse:documents-recorded"),
        Section("signatures", "Versions and signatures", _signatures, "sse:documents-recorded"),
        Section("episodes", "Episodes", _episodes, "sse:episodes-recorded"),
    ),
)
