"""What happened to a system: incidents with what followed, and what changed since its approval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from sinks.store.questions.cards.model import Change, Followed, Incident, Suspended
from sinks.store.questions.changed import began, changed, served
from sinks.store.questions.episodes import Wanted, episodes, number
from sinks.store.questions.followups import followups
from sinks.store.questions.incidents import incidents as declared_incidents
from sinks.store.questions.suspended import suspended_now

if TYPE_CHECKING:
    from seamwatch.judging.model.facts import Violation
    from sinks.store.client import Store
    from sinks.store.questions.cards.standing_on import Publication
    from sinks.store.questions.unjudged import Period

MOST_INCIDENTS: Final = 50
"""So many are told one by one, those that are open before the others; the rest is counted."""


def incidents(store: Store, system: str, period: Period) -> tuple[list[Incident], int]:
    """What is open, and what opened within the time, the latest first; and how many more there are."""
    # In a drill nothing happened.
    recent = Wanted(system, since=period.since, drills=False)
    unresolved = episodes(store, Wanted(system, unresolved=True, drills=False), MOST_INCIDENTS)
    found = {one.violation_id: one for one in (*unresolved, *episodes(store, recent, MOST_INCIDENTS))}
    shown = [one for one in found.values() if one.opened_at < period.until][:MOST_INCIDENTS]
    in_all = number(store, recent) + sum(one.opened_at < period.since for one in unresolved)
    owed = _followed(store, system) if shown else {}
    by_opening = sorted(shown, key=lambda one: (one.state == "resolved", -one.opened_at, one.violation_id))
    return [_incident(one, owed.get(one.violation_id, [])) for one in by_opening], max(0, in_all - len(shown))


def _followed(store: Store, system: str) -> dict[str, list[Followed]]:
    """By violation: reviews and actions, and that it was declared a serious incident, with the report that is owed."""
    found: dict[str, list[Followed]] = {}
    for owed in followups(store, system=system, done=True):
        one = Followed(what=owed.what, person=owed.person, text=owed.text, due_at=owed.due_at, done_at=owed.done_at)
        found.setdefault(owed.violation_id, []).append(one)
    for each in declared_incidents(store, system=system, over=True):
        said = Followed(what="declared", person=each.declared_by, text=each.kind, due_at=None, done_at=each.declared_at)
        report = Followed(
            what="report", person=each.person, text=each.owes or each.standing, due_at=each.due_at, done_at=each.over_at
        )
        found.setdefault(each.violation_id, []).extend((said, report))
    return found


def suspended(store: Store, system: str, now: int) -> list[Suspended]:
    """What of it must not serve."""
    return [
        Suspended(what=one.what, since=one.since, until=one.until, by=one.by, reason=one.reason)
        for one in suspended_now(store, now, system)
    ]


def _incident(one: Violation, followed: Sequence[Followed]) -> Incident:
    return Incident(
        violation_id=one.violation_id,
        clause=f"{one.contract}@{one.contract_version}/{one.clause}",
        severity=one.severity,
        state=one.state,
        summary=one.summary,
        opened_at=one.opened_at,
        acknowledged_by=one.acknowledged_by,
        acknowledged_at=one.acknowledged_at,
        resolved_at=one.resolved_at,
        followed=tuple(followed),
    )


def changes(
    store: Store, system: str, since: int | None, until: int, publications: Sequence[Publication]
) -> list[Change]:
    """What was announced, published, or served for the first time, since a time; the latest first; none without one."""
    if since is None:
        return []
    found = [*_announced(store, system, since, until), *_served(store, system, since, until)]
    found += [
        Change(at=one.at, what="published", text=f"{one.kind} {one.id} {one.version}".rstrip(), by=None)
        for one in publications
        if since <= one.at < until
    ]
    return sorted(found, key=lambda one: (-one.at, one.what, one.text))


def _announced(store: Store, system: str, since: int, until: int) -> Iterator[Change]:
    for one in changed(store, system, since, until):
        values = "" if one.to_value is None else f": {one.from_value or 'not told'} → {one.to_value}"
        text = f"{one.change_id}, {one.kind}{values}; {one.summary}"
        yield Change(
            at=one.event_time, what="withdrawn" if one.withdrawn else "announced", text=text, by=one.announced_by
        )


def _served(store: Store, system: str, since: int, until: int) -> Iterator[Change]:
    for one in began(served(store, system), since, until):
        configured = "" if one.config_digest is None else f" with configuration {one.config_digest}"
        text = f"version {one.version}{configured} served for the first time"
        yield Change(at=one.first_seen, what="served", text=text, by=None)
