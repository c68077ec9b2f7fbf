"""Due: which review of which system is due when, by the documents in force and the attestations that count. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from seamwatch.clauses.review import Review as ReviewClause
from seamwatch.documents import Estate
from seamwatch.engine.seams import BoundClause, Seams
from seamwatch.judging.patterns.rounds import last_whole, missing
from sinks.store.questions.reviews import Review


@dataclass(frozen=True, slots=True)
class Due:
    """A scheduled review; times are micros. ``by``: who may do it, or who still must, all of them.

    ``last``: when it was done last, None for never. ``due_at``: None while its clock has not begun.
    """

    system: str
    contract: str
    clause: str
    by: tuple[str, ...]
    all_of_them: bool
    of: str
    every: int
    last: int | None
    due_at: int | None


def due(
    estate: Estate,
    attested: Iterable[Review],
    first_seen: Mapping[str, int | None],
    now: int,
    *,
    system: str | None = None,
) -> Sequence[Due]:
    """Every scheduled review of declared systems, or of one, what is due first at the top."""
    seams = Seams(estate, None)
    of: dict[str, list[Review]] = {}
    for review in attested:
        of.setdefault(review.system, []).append(review)
    found = [
        one
        for name in estate.systems
        if system is None or name == system
        for contract in estate.contracts_for(name, now)
        for bound in seams.covering(contract, name).values()
        if isinstance(bound.clause, ReviewClause)
        if (one := _due(bound, of.get(name, ()), first_seen.get(name), now)) is not None
    ]
    return sorted(found, key=lambda one: (one.due_at is None, one.due_at or 0, one.system, one.contract, one.clause))


def _due(bound: BoundClause, attested: Iterable[Review], first_seen: int | None, now: int) -> Due | None:
    clause, seam = bound.clause, bound.seam
    assert isinstance(clause, ReviewClause)
    every, agreed, named = clause.period(seam), clause.document_says(seam), clause.named(seam)
    if every is None:
        return None
    counting = [one for one in attested if one.event_time <= now and clause.why_void(seam, asdict(one)) is None]
    entered = None if agreed is None or (agreed.last or 0) > now else agreed.last
    given, last = last_whole([(one.person, one.event_time) for one in counting], named, entered)
    begun = first_seen if last is None else last
    due_at = None if begun is None else begun + every
    by = missing(given, named) or seam.signatories
    return Due(seam.system, seam.contract, clause.id, by, bool(named), clause.of, every, last, due_at)
