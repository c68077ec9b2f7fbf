"""References: whether documents that are each right fit together, and what a system lacks for its hand-over."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from seamwatch.clauses import kinds
from seamwatch.documents.approving import why_void
from seamwatch.documents.contract import Contract
from seamwatch.documents.covering import Ids
from seamwatch.documents.defaults import BUILT_IN, DEFAULTS, SCHEDULES, SUSPENSIONS
from seamwatch.documents.models import Document, Person, System
from seamwatch.documents.problems import Problem
from seamwatch.documents.reading import Place, Written
from seamwatch.documents.risk_policy import RiskPolicy
from seamwatch.documents.rota import Rota
from seamwatch.documents.wording import whose


@dataclass(frozen=True, slots=True)
class Read:
    """A document as written, of a known kind; ``document`` is None when it is wrong in itself."""

    kind: str
    written: Written
    document: Document | None

    @property
    def id(self) -> str | None:
        """Its id, if it has one."""
        found = self.written.content.get("id")
        return None if found is None else str(found)

    def error(self, place: Place, message: str) -> Problem:
        """A problem at a place of it."""
        return Problem(self.written.file, self.written.line(place), message)

    def warning(self, place: Place, message: str) -> Problem:
        """A warning at a place of it."""
        return Problem(self.written.file, self.written.line(place), message, "warning")


_GUESSES: Final = 50_000
"""How many ids are compared with words that are none of them, in one check: about a second."""

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
    """What is wrong between documents, and what is missing in them.

    Documents that are wrong in themselves are looked at as well, so that one run shows everything.
    """
    yield from _duplicates(documents)
    yield from _identities(documents)
    persons = _Known(read.id for read in documents if read.kind == Person.kind_name and read.id is not None)
    systems = _Known(read.id for read in documents if read.kind == System.kind_name and read.id is not None)
    known = {read.document.id: read.document for read in documents if isinstance(read.document, Person)}
    for read in documents:
        yield from _unknown_persons(read, persons)
        for place, key, what in _NAMED_ONCE.get(read.kind, ()):
            yield from _repeated(read, place, key, what)
        match read.document:
            case System():
                yield from _system(read, read.document, systems, known)
            case Contract():
                yield from _contract(read, read.document, systems)


class _Known:
    """The ids that documents declare, and which of them is meant by a word that is none of them."""

    def __init__(self, ids: Iterable[str]) -> None:
        self.ids = frozenset(ids)
        self.patterns = Ids(self.ids)
        self._guesses: dict[tuple[str, float], str | None] = {}

    def nearest(self, word: str, cutoff: float = 0.6) -> str | None:
        """The nearest id. To look for one takes as long as there are ids, so that only the first words get theirs."""
        key = (word, cutoff)
        if key not in self._guesses:
            if len(self._guesses) * len(self.ids) >= _GUESSES:
                return None
            self._guesses[key] = next(iter(difflib.get_close_matches(word, self.ids, n=1, cutoff=cutoff)), None)
        return self._guesses[key]


def gaps(system: System) -> list[str]:
    """The points of the six-point hand-over that a system lacks, in words. Data sets are handed over by contract."""
    if system.type not in ("model", "agent"):
        return []
    return [words for key, words in HANDOFF.items() if not getattr(system, key)]


_NAMED_ONCE: Mapping[str, tuple[tuple[Place, str, str], ...]] = {
    "Person": ((("keys",), "key_id", "key"),),
    "System": ((("versions",), "version", "version"),),
    "Contract": ((("clauses",), "id", "clause"),),
    "RiskPolicy": ((("tiers",), "tier", "tier"),),
}


def _duplicates(documents: Sequence[Read]) -> Iterator[Problem]:
    first: dict[tuple[str, str], Read] = {}
    for read in documents:
        if read.id is None or read.kind in (Contract.kind_name, RiskPolicy.kind_name):
            continue  # which may have several versions
        before = first.setdefault((read.kind, read.id), read)
        if before is not read:
            where = f"{before.written.file}:{before.written.line(('id',))}"
            yield read.error(("id",), f"{read.kind.lower()} {read.id!r} is defined twice: first in {where}")


def _identities(documents: Sequence[Read]) -> Iterator[Problem]:
    """An id at another service is one person's: whose answer would it be else? And a relay that cannot sign is none."""
    first: dict[tuple[str, str], Read] = {}
    for read in documents:
        if not isinstance(read.document, Person):
            continue
        for service, name in read.document.identities.items():
            before = first.setdefault((service, name), read)
            if before is not read and before.id != read.id:
                message = f"{service} id {name!r} is given to {read.id!r} and to {before.id!r}: it is one person's"
                yield read.error(("identities", service), message)
        if "relay" in read.document.roles and not read.document.keys:
            yield read.error(("roles",), f"{read.id!r} is a relay without keys, so nothing that it relays would count")


def _unknown_persons(read: Read, persons: _Known) -> Iterator[Problem]:
    if read.document is not None and persons.ids.issuperset(_named_by(read.document)):
        return
    for place, person in _people(read):
        if person not in persons.ids:
            role = next((str(part) for part in reversed(place) if isinstance(part, str)), "")
            close = persons.nearest(person, 0.85)  # addresses share much
            hint = f": did you mean {close!r}?" if close else ": no Person document has this id"
            owner = whose(read.written.content, place)
            yield read.error(place, f"unknown person {person!r} ({role!r} of {owner}){hint}")


def _named_by(document: Document) -> Iterator[str]:
    """The persons whom a document that is right in itself names; the same as its places below have."""
    match document:
        case Person():
            yield from () if document.vouched_by is None else (document.vouched_by,)
        case Contract():
            yield from filter(None, (document.parties.provider.signatory, document.parties.consumer.signatory))
            yield from (step.person for step in document.escalation if step.person is not None)
            for clause in document.clauses:
                yield from clause.people()
        case System():
            yield document.owner
            for review in (document.review, document.runbook_review):
                yield from () if review is None else review.by
            yield from document.approvers
            yield from () if document.authority is None else (*document.authority.suspend, *document.authority.resume)
            for approval in (approval for version in document.versions for approval in version.approvals):
                yield from () if approval.approved_by is None else (approval.approved_by,)
                yield from approval.co_approvers
                yield from (signature.person for signature in approval.signatures)
        case RiskPolicy():
            yield from document.signatories
            yield from (person for tier in document.tiers for asked in tier.approvals for person in asked.of)
        case Rota():
            yield from document.members


# Where documents name persons; None stands for every item of a list.
_PERSONS: Mapping[str, tuple[tuple[str | None, ...], ...]] = {
    "Person": (("vouched_by",),),
    "System": (
        ("owner",),
        ("review", "by"),
        ("review", "by", None),
        ("runbook_review", "by"),
        ("runbook_review", "by", None),
        ("approvers", None),
        ("authority", "suspend", None),
        ("authority", "resume", None),
        ("versions", None, "approvals", None, "approved_by"),
        ("versions", None, "approvals", None, "co_approvers"),
        ("versions", None, "approvals", None, "co_approvers", None),
        ("versions", None, "approvals", None, "signatures", None, "person"),
    ),
    "Contract": (
        ("parties", "provider", "signatory"),
        ("parties", "consumer", "signatory"),
        ("escalation", None, "person"),
    ),
    "RiskPolicy": (
        ("signatories",),
        ("signatories", None),
        ("tiers", None, "approvals", None, "of"),
        ("tiers", None, "approvals", None, "of", None),
    ),
    "Rota": (("owner",), ("persons", None), ("instead", None, "person")),
}


def _people(read: Read) -> Iterator[tuple[Place, str]]:
    content = read.written.content
    for pattern in _PERSONS.get(read.kind, ()):
        for place, person in _reached(content, pattern, ()):
            if isinstance(person, str):
                yield place, person
    for place, clause in _reached(content, ("clauses", None), ()) if read.kind == Contract.kind_name else ():
        for person in _people_of_clause(read, place, clause):
            yield _place_of(clause, place, person), person


def _reached(content: Any, pattern: Sequence[str | None], place: Place) -> Iterator[tuple[Place, Any]]:
    if not pattern:
        yield place, content
    elif pattern[0] is None and isinstance(content, list):
        for index, item in enumerate(content):
            yield from _reached(item, pattern[1:], (*place, index))
    elif isinstance(content, Mapping) and (key := pattern[0]) is not None and key in content:
        yield from _reached(content[key], pattern[1:], (*place, key))


def _people_of_clause(read: Read, place: Place, clause: Any) -> tuple[str, ...]:
    if isinstance(read.document, Contract) and isinstance(place[-1], int):
        return read.document.clauses[place[-1]].people()
    kind = kinds().get(str(clause.get("kind"))) if isinstance(clause, Mapping) else None
    if kind is None:
        return ()
    try:
        return kind.model_validate(clause).people()
    except ValidationError:
        return ()


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
    if isinstance(read.document, Contract) and len({c.id for c in read.document.clauses}) == len(read.document.clauses):
        return
    seen: dict[str, Place] = {}
    pattern = (*(str(part) for part in place), None, key)
    for found, name in _reached(read.written.content, pattern, ()):
        if str(name) in seen:
            line = read.written.line(seen[str(name)])
            owner = whose(read.written.content, ())
            yield read.error(found, f"{what} {name!r} is given twice in {owner}: first in line {line}")
        seen.setdefault(str(name), found)


def _system(read: Read, system: System, systems: _Known, persons: Mapping[str, Person]) -> Iterator[Problem]:
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
            pinned = None if approval.baseline is None else approval.baseline.config_digest
            if pinned is not None and version.config_digest not in (None, pinned):
                yield read.warning(
                    (*place[:-1], "baseline"),
                    f"approval {approval.id!r} is pinned on configuration {pinned}, and version {version.version} has "
                    f"{version.config_digest}: have that evaluated, and approve it anew",
                )
            void = why_void(system, v, a, persons)
            if void is not None:
                yield read.warning(
                    place, f"approval {approval.id!r} {void.reason}, so it counts for nothing: {void.remedy}"
                )
    for d, other in enumerate(system.depends_on):
        if other not in systems.ids:
            yield read.warning(
                ("depends_on", d), f"{system.id!r} depends on {other!r}, which no System document declares"
            )
    missing = gaps(system)
    if missing:
        yield read.warning(("id",), f"hand-over of system {system.id!r} is incomplete: it lacks {', '.join(missing)}")


def _contract(read: Read, contract: Contract, systems: _Known) -> Iterator[Problem]:
    for c, pattern in enumerate(contract.covers):
        if not systems.patterns.any_matching(pattern):
            close = systems.nearest(pattern)
            hint = f": did you mean {close!r}?" if close else ""
            yield read.warning(
                ("covers", c), f"contract {contract.id!r} covers {pattern!r}, which is no declared system{hint}"
            )
    if contract.id in SCHEDULES:
        built_in = f"{contract.id!r} is the built-in contract of scheduled reviews"
        yield read.error(("id",), f"{built_in}: give yours another id")
    if contract.id == SUSPENSIONS:
        yield read.error(("id",), f"{SUSPENSIONS!r} is the built-in contract on suspension: give yours another id")
    if contract.id == DEFAULTS and contract.version == BUILT_IN:
        yield read.error(("version",), f"version {BUILT_IN!r} of {DEFAULTS!r} is the built-in one: give yours another")
