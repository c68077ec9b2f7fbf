"""References: whether documents that are each right fit together, and what a system lacks for its hand-over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from seamwatch.documents.contract import Contract
from seamwatch.documents.models import Document, Person, System
from seamwatch.documents.problems import Problem
from seamwatch.documents.reading import Place, Written
from seamwatch.documents.wording import nearest, whose


@dataclass(frozen=True, slots=True)
class Read:
    """A document that is right in itself, and how it was written."""

    document: Document
    written: Written

    def error(self, place: Place, message: str) -> Problem:
        """A problem at a place of it."""
        return Problem(self.written.file, self.written.line(place), message)

    def warning(self, place: Place, message: str) -> Problem:
        """A warning at a place of it."""
        return Problem(self.written.file, self.written.line(place), message, "warning")


# What a system must be handed over with, beside its owner, who is required: the key, and what it gives.
HANDOFF: Mapping[str, str] = {
    "benchmark": "a benchmark with thresholds",
    "runbook": "a runbook",
    "lineage": "a lineage map",
    "monitoring_agreement": "a monitoring agreement",
    "review": "a scheduled review",
    "registry_entry": "a risk-registry entry",
}


def check(documents: Sequence[Read]) -> Iterator[Problem]:
    """What is wrong between documents, and what is missing in them."""
    yield from _duplicates(documents)
    persons = {read.document.id for read in documents if isinstance(read.document, Person)}
    systems = {read.document.id for read in documents if isinstance(read.document, System)}
    for read in documents:
        yield from _unknown_persons(read, persons)
        match read.document:
            case Person():
                yield from _repeated(read, ("keys",), "key_id", "key")
            case System():
                yield from _system(read, read.document, systems)
            case Contract():
                yield from _contract(read, read.document, systems)


def gaps(system: System) -> list[str]:
    """The points of the six-point hand-over that a system lacks, in words. Data sets are handed over by contract."""
    if system.type not in ("model", "agent"):
        return []
    return [words for key, words in HANDOFF.items() if not getattr(system, key)]


def _duplicates(documents: Sequence[Read]) -> Iterator[Problem]:
    first: dict[tuple[str, str], Read] = {}
    for read in documents:
        key = (read.document.kind_name, read.document.id)
        before = first.setdefault(key, read)
        if before is not read:
            where = f"{before.written.file}:{before.written.line(('id',))}"
            yield read.error(("id",), f"{key[0].lower()} {key[1]!r} is defined twice: first in {where}")


def _unknown_persons(read: Read, persons: set[str]) -> Iterator[Problem]:
    for place, person in _people(read.document, read.written.content):
        if person not in persons:
            role = next((str(part) for part in reversed(place) if isinstance(part, str)), "")
            hint = nearest(person, sorted(persons)) or ": no Person document has this id"
            owner = whose(read.written.content, place)
            yield read.error(place, f"unknown person {person!r} ({role!r} of {owner}){hint}")


def _people(document: Document, content: Any) -> Iterator[tuple[Place, str]]:
    match document:
        case System():
            yield ("owner",), document.owner
            if document.review is not None:
                yield ("review", "by"), document.review.by
            yield from _approvers(document)
        case Contract():
            for side, party in (("provider", document.parties.provider), ("consumer", document.parties.consumer)):
                if party.signatory is not None:
                    yield ("parties", side, "signatory"), party.signatory
            for s, step in enumerate(document.escalation):
                yield ("escalation", s, "person"), step.person
            for c, clause in enumerate(document.clauses):
                for person in clause.people():
                    yield _place_of(content["clauses"][c], ("clauses", c), person), person


def _approvers(system: System) -> Iterator[tuple[Place, str]]:
    for v, version in enumerate(system.versions):
        for a, approval in enumerate(version.approvals):
            place: Place = ("versions", v, "approvals", a)
            if approval.approved_by is not None:
                yield (*place, "approved_by"), approval.approved_by
            for s, signature in enumerate(approval.signatures):
                yield (*place, "signatures", s, "person"), signature.person


def _place_of(content: Any, place: Place, text: str) -> Place:
    """Where below a place a text is written; the place itself when it is not."""
    items = content.items() if isinstance(content, Mapping) else enumerate(content) if isinstance(content, list) else ()
    for key, inner in items:
        if inner == text:
            return (*place, key)
        found = _place_of(inner, (*place, key), text)
        if found != (*place, key):
            return found
    return place


def _repeated(read: Read, place: Place, key: str, what: str) -> Iterator[Problem]:
    content: Any = read.written.content
    for part in place:
        content = content.get(part) if isinstance(content, Mapping) else content[part]
    seen: dict[str, int] = {}
    for index, item in enumerate(content or ()):
        name = str(item.get(key)) if isinstance(item, Mapping) else str(item)
        if name in seen:
            line = read.written.line((*place, seen[name], key))
            inner: Place = (*place, index, key)
            yield read.error(
                inner, f"{what} {name!r} is given twice in {whose(read.written.content, ())}: first in line {line}"
            )
        seen.setdefault(name, index)


def _system(read: Read, system: System, systems: set[str]) -> Iterator[Problem]:
    yield from _repeated(read, ("versions",), "version", "version")
    known: dict[str, Place] = {}
    for v, version in enumerate(system.versions):
        for a, approval in enumerate(version.approvals):
            place: Place = ("versions", v, "approvals", a, "id")
            if approval.id in known:
                line = read.written.line(known[approval.id])
                yield read.error(
                    place, f"approval {approval.id!r} is given twice in system {system.id!r}: first in line {line}"
                )
            known.setdefault(approval.id, place)
            if system.use_cases and approval.use_case not in system.use_cases:
                message = (
                    f"approval {approval.id!r} is for {approval.use_case!r}, which is no use case of {system.id!r}"
                )
                yield read.warning((*place[:-1], "use_case"), message)
            if approval.approved_by is None:
                yield read.warning(place, f"approval {approval.id!r} does not say who approved ('approved_by')")
    for d, other in enumerate(system.depends_on):
        if other not in systems:
            yield read.warning(
                ("depends_on", d), f"{system.id!r} depends on {other!r}, which no System document declares"
            )
    missing = gaps(system)
    if missing:
        yield read.warning(("id",), f"hand-over of system {system.id!r} is incomplete: it lacks {', '.join(missing)}")


def _contract(read: Read, contract: Contract, systems: set[str]) -> Iterator[Problem]:
    yield from _repeated(read, ("clauses",), "id", "clause")
    for c, pattern in enumerate(contract.covers):
        if not any(fnmatchcase(system, pattern) for system in systems):
            hint = nearest(pattern, sorted(systems))
            yield read.warning(
                ("covers", c), f"contract {contract.id!r} covers {pattern!r}, which is no declared system{hint}"
            )
    if contract.id == "defaults":
        yield read.error(("id",), "the id 'defaults' is taken by the built-in contract: choose another")
