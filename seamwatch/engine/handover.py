"""The hand-over between two versions of a contract: what becomes of a clause's state and its open episodes.

An episode stays with the version that opened it, with its words, its severity and its escalation list, until it ends;
it ends by the version in force then. Where the clause is gone, or looks at something else, it ends at the change.
Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from seamwatch.engine.episodes import Episode
from seamwatch.engine.seams import BoundClause
from seamwatch.engine.unjudged import is_part
from seamwatch.judging.model.facts import EVIDENCE_LIMIT, Fact
from seamwatch.judging.model.judgement import Open
from seamwatch.judging.model.measure import UNJUDGED
from seamwatch.judging.model.merging import merge_facts
from seamwatch.judging.patterns.wording import moment_text

MOST_EARLY = 1_000
"""How many facts of a coming version wait; they must fit into a record of the state topic."""


def begins_anew(before: BoundClause, after: BoundClause, part: str) -> bool:
    """Whether what the former version counted says nothing to the new one.

    So it is with another kind, other events, or another window, slice or value of the same measure.
    """
    if before.clause.kind_name != after.clause.kind_name or before.clause.sources() != after.clause.sources():
        return True
    was, now = _measured(before, part), _measured(after, part)
    if any(was[name] != now[name] for name in was.keys() & now.keys()):
        return True
    # A part of its own may belong to a measure that is no longer taken.
    return bool(part) and not was.keys() <= now.keys()


def _measured(bound: BoundClause, part: str) -> dict[tuple[str, str], tuple[object, ...]]:
    # Whether a clause had anything to judge is a matter of its own.
    of_part = is_part(part)
    measures = [m for m in bound.clause.all_measures(bound.seam) if m.name.startswith(UNJUDGED) == of_part]
    return {
        (m.source, m.name): (m.agreed or m.window, m.slice, m.value, m.evidence, m.matching, m.missing)
        for m in measures
    }


def with_early(early: Sequence[Fact], fact: Fact, bound: BoundClause) -> tuple[Fact, ...]:
    """The facts that wait for their version, with one more; those of a window are merged where that loses nothing."""
    measures = (measure for measure in bound.clause.all_measures(bound.seam) if measure.name == fact.measure)
    if all(measure.evidence == EVIDENCE_LIMIT for measure in measures):
        for number, other in enumerate(early):
            if _window(other) == _window(fact):
                return (*early[:number], merge_facts(other, fact), *early[number + 1 :])
    return (*early, fact)


def too_many_early(early: Sequence[Fact]) -> bool:
    """Whether so much waits for the next version that it is not waited for any longer."""
    return len(early) > MOST_EARLY or sum(len(fact.evidence) for fact in early) > 5 * MOST_EARLY


def _window(fact: Fact) -> tuple[object, ...]:
    return fact.contract_version, fact.measure, fact.slice, fact.window_start, fact.window


def why_over(system: str, clause: str, contract: str, version: str | None, at: int, *, measured_otherwise: bool) -> str:
    """Why an episode ends with the change at event time ``at``, for the person who was paged."""
    if version is None:
        return f"{system}: contract {contract} is not in force for it from {moment_text(at)} on"
    what = f"measures clause {clause!r} otherwise" if measured_otherwise else f"has no clause {clause!r}"
    return f"{system}: version {version} of contract {contract}, in force from {moment_text(at)}, {what}"


def carried(episode: Episode, found: Open, bound: BoundClause, *, former: bool) -> Episode:
    """An episode that another version opened, with what a version's finding adds.

    A later version's finding adds evidence only. A ``former`` one's, of an event that came after the change, shows
    that it began earlier: the episode is told in that version's words then.
    """
    violation, seam = episode.violation, bound.seam
    if not former:
        return replace(episode, violation=replace(violation, evidence=found.evidence))
    retold = replace(
        violation,
        contract_version=seam.contract_version,
        contract_digest=seam.contract_digest,
        opened_at=found.opened_at,
        since=found.since,
        observed=found.observed,
        limit=found.limit,
        unit=found.unit,
        summary=found.summary,
        evidence=found.evidence,
        unsigned_by=found.unsigned_by,
    )
    return replace(episode, violation=retold)
