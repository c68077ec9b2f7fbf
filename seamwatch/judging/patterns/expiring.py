"""Expiring: which approvals are about to end while something still needs them, and whom to tell ahead.

An approval is needed when what it allows has come not long before the reminder is due, or comes later. One that
somebody has revoked, or in whose place another allows the same when it ends, is not: nobody has to do anything. Pure;
what was allowed is counted by the clause, and the words are of it too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal, NamedTuple

from seamwatch.durations import DAY
from seamwatch.expressions import Expression
from seamwatch.judging.model.judgement import Moment
from seamwatch.judging.model.measure import Source
from seamwatch.judging.model.seam import Approval, DeclaredVersion
from seamwatch.judging.patterns.approved import Served, allowing, conditions
from seamwatch.judging.patterns.due import ahead
from seamwatch.judging.patterns.windows import earliest
from seamwatch.values import value

AHEAD: Final = 14 * DAY
WHEN_NOT_AGREED: Final = "14d, half of how long it is in force at most, when absent"
SERVED_WITHIN: Final = 35 * DAY
"""How long before its reminder an approval was last needed at least: what runs once a month is in use."""
MOST_FOLLOWED: Final = 1_000


class ExpiringApproval(NamedTuple):
    """One approval that expires, as it is remembered: renewed or moved in the document it is another."""

    version: str
    config_digest: str
    use_case: str
    approval_id: str
    expires: int


class InUse(NamedTuple):
    """When something last came that an approval allows (event time, micros).

    ``calls``: of tool calls, which have no use case.
    """

    term: ExpiringApproval
    calls: bool
    last: int


@value()
class Expiring:
    """Which approvals are in use, and of which it was told that they end."""

    in_use: tuple[InUse, ...] = ()
    told: tuple[ExpiringApproval, ...] = ()


class Ending(NamedTuple):
    """An approval of which is to be told now that it ends."""

    term: ExpiringApproval
    approval: Approval


def expiring(versions: Iterable[DeclaredVersion]) -> tuple[DeclaredVersion, ...]:
    """The versions with those of their approvals that expire, unless they were revoked before that."""
    kept = []
    for declared in versions:
        ending = tuple(a for a in declared.approvals if a.expires is not None and a.ends == a.expires)
        if ending:
            kept.append(DeclaredVersion(declared.version, declared.config_digest, ending))
    return tuple(kept)


def in_use(versions: Iterable[DeclaredVersion], source: Source) -> Iterator[tuple[tuple[str, ...], list[Expression]]]:
    """What is counted to know which of these are in use: the fields that tell them apart, and what each allows.

    The digest tells apart only where a document names one: of others there may be any number.
    """
    use_case = ("use_case",) if source == "inference" else ()
    plain: list[DeclaredVersion] = []
    named: list[DeclaredVersion] = []
    for declared in versions:
        (plain if declared.config_digest is None else named).append(declared)
    if plain:
        yield ("version", *use_case), conditions(plain, source)
    if named:
        yield ("version", "config_digest", *use_case), conditions(named, source)


def used(
    state: Expiring, versions: Sequence[DeclaredVersion], source: Source, part: str, first: int, last: int
) -> Expiring:
    """With events that were allowed, the first and last of which came at these times; ``part`` is their slice."""
    calls = source == "tool_call"
    known = {(entry.term, entry.calls): entry.last for entry in state.in_use}
    for term, approval in _terms(versions):
        fields = (term.version, *filter(None, (term.config_digest,)), *(() if calls else (term.use_case,)))
        begins = approval.approved_at
        if "/".join(fields) != part or first >= term.expires or (begins is not None and last < begins):
            continue
        # Where others of the slice go on after it, it is certain of the first only.
        at = last if last < term.expires else first
        known[term, calls] = max(at, known.get((term, calls), at))
    newest = sorted((InUse(term, of, at) for (term, of), at in known.items()), key=lambda entry: entry.last)
    return Expiring(tuple(sorted(newest[-MOST_FOLLOWED:])), state.told)


def ending(
    state: Expiring, versions: Sequence[DeclaredVersion], agreed: int | Literal["never"] | None, moment: Moment
) -> tuple[Expiring, list[Ending], int | None]:
    """Which approvals are to be told of now, each once, and the next event time at which to ask.

    ``versions`` are all that are declared. A turn that comes late, as in a history, tells what it would have told.
    """
    terms = dict(_terms(expiring(versions)))
    reminded = [term for term in state.told if term in terms]
    kept, found, deadlines = [], [], []
    for entry in state.in_use:
        approval = terms.get(entry.term)
        if approval is None:
            continue
        kept.append(entry)
        if entry.term in reminded or _covered(versions, entry):
            continue
        at = entry.term.expires - lead(approval, agreed)
        if at == entry.term.expires or entry.last < at - SERVED_WITHIN:
            continue
        if at <= moment.watermark:
            reminded.append(entry.term)
            found.append(Ending(entry.term, approval))
        else:
            deadlines.append(at)
    left = Expiring(tuple(kept), tuple(sorted(reminded)[-MOST_FOLLOWED:]))
    return left, sorted(found, key=lambda end: (end.term.expires, end.term)), earliest(*deadlines)


def lead(approval: Approval, agreed: int | Literal["never"] | None) -> int:
    """How long (micros) before it expires an approval is told of; 0 for never. Never before it is in force."""
    assert approval.expires is not None
    if approval.approved_at is None:  # it has no length
        return 0 if agreed == "never" else AHEAD if agreed is None else agreed
    length = approval.expires - approval.approved_at
    return min(AHEAD, length // 2) if agreed is None else ahead(length, agreed)


def _covered(versions: Sequence[DeclaredVersion], entry: InUse) -> bool:
    """Whether another approval allows the same when this one ends."""
    term = entry.term
    use_case = None if entry.calls else term.use_case
    return allowing(versions, Served(term.version, term.config_digest or None, use_case, term.expires)) is not None


def _terms(versions: Iterable[DeclaredVersion]) -> Iterator[tuple[ExpiringApproval, Approval]]:
    for declared in versions:
        for approval in declared.approvals:
            if approval.expires is not None:
                yield (
                    ExpiringApproval(
                        declared.version, declared.config_digest or "", approval.use_case, approval.approval_id,
                        approval.expires,
                    ),
                    approval,
                )  # fmt: skip
