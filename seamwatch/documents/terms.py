"""Terms: which version of a contract or risk policy governs which event times, and what contradicts itself about that.

A version that says `effective_from` governs from then on. Of one that does not, the publication says it; the first of
them reaches back without limit, because what ran before anything was agreed is judged by the first agreement.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

from seamwatch.documents.contract import Contract
from seamwatch.documents.estate import BEGINNING, END, Term
from seamwatch.documents.problems import Problem
from seamwatch.documents.references import Read
from seamwatch.documents.risk_policy import RiskPolicy
from seamwatch.documents.signing import VERSIONED
from seamwatch.documents.tiers import PolicyTerm
from seamwatch.instants import format_instant


class _Versioned(Protocol):
    """A document that has versions."""

    @property
    def id(self) -> str:
        """What all versions share."""

    @property
    def version(self) -> str:
        """This one's."""

    @property
    def effective_from(self) -> int | None:
        """From when it governs (micros)."""


_Document = TypeVar("_Document", bound=_Versioned)
_Given = tuple[_Document, int | None]

_NUMBERS = re.compile(r"v?(\d+(?:\.\d+)*)")


def terms_of(contracts: Iterable[tuple[Contract, int | None]]) -> Iterator[Term]:
    """The terms of contract versions with the time at which each was published (None: from a folder), by contract id.

    Of two that would begin at the same time the one that was published later governs, and the other has no term.
    """
    for contract, start, end, published_at in _spans(contracts):
        yield Term(contract, start, end, published_at)


def policy_terms_of(policies: Iterable[tuple[RiskPolicy, int | None]]) -> Iterator[PolicyTerm]:
    """The same of the versions of risk policies."""
    for policy, start, end, published_at in _spans(policies):
        yield PolicyTerm(policy, start, end, published_at)


def _spans(documents: Iterable[_Given[_Document]]) -> Iterator[tuple[_Document, int, int, int | None]]:
    by_id: dict[str, list[tuple[_Document, int]]] = {}
    published: dict[tuple[str, str], int | None] = {}
    for document, at in documents:
        published[document.id, document.version] = at
        by_id.setdefault(document.id, []).append((document, BEGINNING if at is None else at))
    for _, versions in sorted(by_id.items()):
        ordered = sorted(_starts(versions), key=lambda known: (known[0], known[1], known[2].version))
        ends = [*(start for start, _, _ in ordered[1:]), END]
        for (start, _, document), end in zip(ordered, ends, strict=True):
            if start < end:
                yield document, start, end, published[document.id, document.version]


def _starts(versions: Sequence[tuple[_Document, int]]) -> Iterator[tuple[int, int, _Document]]:
    """When each begins to govern, with its publication."""
    first = min(at for _, at in versions)
    undated = sorted((at, contract.version) for contract, at in versions if contract.effective_from is None)
    for contract, at in versions:
        if contract.effective_from is not None:
            yield contract.effective_from, at, contract
        elif (at, contract.version) == undated[0] and at == first:
            yield BEGINNING, at, contract
        else:
            yield at, at, contract


def check_versions(documents: Sequence[Read]) -> Iterator[Problem]:
    """What contradicts itself among the versions of each contract and risk policy of a folder."""
    by_id: dict[tuple[str, str], list[Read]] = {}
    for read in documents:
        if read.kind in VERSIONED and read.id is not None:
            by_id.setdefault((read.kind, read.id), []).append(read)
    for versions in by_id.values():
        if len(versions) > 1:
            yield from _contradictions(versions)


def _contradictions(versions: Sequence[Read]) -> Iterator[Problem]:
    named: dict[str, Read] = {}
    undated: Read | None = None
    dated: dict[int, Read] = {}
    for read in versions:
        version = str(read.written.content.get("version"))
        before = named.setdefault(version, read)
        if before is not read:
            yield read.error(
                ("version",),
                f"version {version!r} of {VERSIONED[read.kind]} {read.id!r} is defined twice: first in "
                f"{_where(before, 'version')}; give what was agreed anew another version",
            )
            continue
        if not isinstance(read.document, Contract | RiskPolicy):
            continue
        at = read.document.effective_from
        other = undated if at is None else dated.get(at)
        if other is not None and at is None:
            yield read.error(
                ("version",),
                f"{VERSIONED[read.kind]} {read.id!r}: neither version {_version(other)!r} "
                f"({_where(other, 'version')}) nor version {version!r} says from when it is in force: give "
                "'effective_from' in all but the first",
            )
        elif other is not None:
            yield read.error(
                ("effective_from",),
                f"version {version!r} of {VERSIONED[read.kind]} {read.id!r} is in force from the same time as version "
                f"{_version(other)!r} ({_where(other, 'effective_from')}): only one can be",
            )
        elif at is None:
            undated = read
        else:
            dated[at] = read
    yield from _disorder([*([undated] if undated is not None else []), *(dated[at] for at in sorted(dated))])


def _disorder(in_order: Sequence[Read]) -> Iterator[Problem]:
    """Versions in the order of their times, of which a smaller number follows a larger one."""
    before: Read | None = None
    for read in in_order:
        number = _number(read)
        if before is not None and number is not None and (earlier := _number(before)) is not None and number < earlier:
            document = before.document
            assert isinstance(document, Contract | RiskPolicy)
            since = (
                "reaches back without limit"
                if document.effective_from is None
                else (f"is in force from {format_instant(document.effective_from)[:19]}Z")
            )
            place = "version" if document.effective_from is None else "effective_from"
            yield read.error(
                ("effective_from",),
                f"version {_version(read)!r} of {VERSIONED[read.kind]} {read.id!r} follows version "
                f"{_version(before)!r}, which {since} ({_where(before, place)}): number them in the order in which "
                "they come into force",
            )
        if number is not None:
            before = read


def _number(read: Read) -> tuple[int, ...] | None:
    # Versions that are no numbers have no order but that of their times.
    found = _NUMBERS.fullmatch(_version(read))
    return None if found is None else tuple(int(part) for part in found.group(1).split("."))


def _version(read: Read) -> str:
    return read.document.version if isinstance(read.document, Contract | RiskPolicy) else ""


def _where(read: Read, key: str) -> str:
    return f"{read.written.file}:{read.written.line((key,))}"
