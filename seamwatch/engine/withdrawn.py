"""Withdrawn: how an episode ends whose clause binds no longer because documents were taken back, and who is told.

It is over, and not resolved: nobody found that what was agreed holds again. So its last words say so, and whoever was
paged for it gets them as a notice. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

from seamwatch.engine.episodes import Episode
from seamwatch.judging.model.facts import WITHDRAWN, Notice, Violation
from seamwatch.judging.model.identity import identity


def ending(episode: Episode, what: str) -> str:
    """The last words of an episode that ends because ``what`` was withdrawn."""
    return f"withdrawn with {what}, not resolved: {episode.violation.summary}"


def notices_of(episode: Episode, over: Violation, now: int) -> Iterator[Notice]:
    """The notices to those who were paged for an episode that ended so."""
    violation = episode.violation
    paged = (step.person for step in episode.ladder[: violation.step + 1])
    for person in dict.fromkeys((*paged, violation.person, violation.acknowledged_by)):
        if person:
            yield Notice(
                notice_id=identity("withdrawn", violation.violation_id, person),
                type="summary",
                contract=violation.contract,
                contract_version=violation.contract_version,
                contract_digest=violation.contract_digest,
                clause=violation.clause,
                kind=WITHDRAWN,
                system=violation.system,
                slice=violation.slice,
                person=person,
                summary=over.summary,
                due_at=over.resolved_at or over.opened_at,
                detected_at=now,
            )
