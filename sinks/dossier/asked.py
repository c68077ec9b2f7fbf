"""Asked: the questions that a dossier may hold the answers of, each by the name of its module, for one scope.

A question is asked as any command asks it; here stands with what of a scope. A requirement names it, so another
question is one function more here. Every answer has the same order each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from seamwatch.durations import DAY, SECOND
from seamwatch.instants import format_instant
from sinks.dossier.values import answered, line
from sinks.store.questions import (
    acknowledgements,
    approvals,
    called,
    changed,
    decisions,
    drift,
    episodes,
    followups,
    holds,
    incidents,
    inventory,
    ledger,
    measured,
    owner,
    reviews,
    seen,
    signals,
    signatures,
    stale,
    suspended,
    tiers,
    touched,
    unjudged,
    why,
)
from sinks.store.questions.estate import estate_shown

if TYPE_CHECKING:
    from seamwatch.judging.model.facts import Violation
    from sinks.dossier.scope import Scope
    from sinks.store.client import Store

Rows = Iterator[Any]
Ask = Callable[["Store", "Scope"], Rows]
"""The rows that a question has of a scope: dataclasses as `sinks.store.questions` has them, or fields by name."""

_MANY: Final = 2**31 - 1
_AT_ONCE: Final = 20_000
_PARTS: Final = 366


def rows_of(question: str, store: Store, scope: Scope) -> Iterator[bytes]:
    """The answer to a question, a line of JSON a row."""
    for row in QUESTIONS[question](store, scope):
        yield line(answered(row))


def _acknowledgements(store: Store, scope: Scope) -> Rows:
    for one in acknowledgements.asked(store, system=scope.system):
        ended = one.answered_at
        if one.asked_at < scope.end and (ended is None or ended >= scope.start):
            yield one


def _approvals(store: Store, scope: Scope) -> Rows:
    yield from approvals.approvals(store, scope.system)


def _changed(store: Store, scope: Scope) -> Rows:
    yield from changed.changed(store, scope.system, scope.start, scope.end - 1)


def _decisions(store: Store, scope: Scope) -> Rows:
    for start, end in _parts(store, scope):
        wanted = decisions.Wanted(system=scope.system, since=start, until=end)
        yield from reversed(decisions.decisions(store, wanted, limit=_MANY))


def _drift(store: Store, scope: Scope) -> Rows:
    # That nothing watches the scores is a row of the answer, and no evidence that anything does.
    yield from (one for one in drift.drift(store, scope.system) if one.drift != "unwatched")


def _episodes(store: Store, scope: Scope) -> Rows:
    wanted = episodes.Wanted(system=scope.system, before=episodes.Before(scope.end))
    for one in episodes.episodes(store, wanted):
        if one.resolved_at is None or one.resolved_at >= scope.start:
            yield _violation(one)


def _followups(store: Store, scope: Scope) -> Rows:
    for one in followups.followups(store, system=scope.system, done=True):
        if one.since < scope.end and (one.done_at is None or one.done_at >= scope.start):
            yield one


def _holds(store: Store, scope: Scope) -> Rows:
    for one in holds.holds(store):
        if one.system in ("", scope.system):
            yield one


def _incidents(store: Store, scope: Scope) -> Rows:
    for one in incidents.incidents(store, system=scope.system, over=True):
        if one.declared_at < scope.end and (one.over_at is None or one.over_at >= scope.start):
            yield one


def _inventory(store: Store, scope: Scope) -> Rows:
    # What was only seen in traffic is in the answer as what nobody declared.
    yield from (one for one in inventory.inventory(store, scope.system) if one.registered)


def _ledger(store: Store, _: Scope) -> Rows:
    yield from ledger.grown(store)


def _measured(store: Store, scope: Scope) -> Rows:
    """The decisions of each day, or of as many days as make no more than so many parts."""
    yield from measured.decided(store, _by_days(scope))


def _called(store: Store, scope: Scope) -> Rows:
    """The tool calls of each such part: an agent may decide nothing."""
    yield from called.called(store, _by_days(scope))


def _by_days(scope: Scope) -> measured.Span:
    days = -(-(scope.end - scope.start) // DAY)
    width = DAY * max(1, -(-days // _PARTS))
    return measured.Span(scope.system, scope.start, scope.end, width)


def _owner(store: Store, scope: Scope) -> Rows:
    found = owner.owner(store, scope.system)
    # Who is nobody's is named by `inventory`; a row without an owner would pass for one.
    if found is not None and found.owner:
        yield found


def _reviews(store: Store, scope: Scope) -> Rows:
    found = [one for one in reviews.reviews(store, scope.system) if scope.start <= one.event_time < scope.end]
    yield from sorted(found, key=lambda one: (one.event_time, one.person, one.subject, one.signature or ""))


def _seen(store: Store, scope: Scope) -> Rows:
    yield from seen.seen(store, scope.system)


def _signals(store: Store, scope: Scope) -> Rows:
    first, last = (datetime.fromtimestamp(at // 1_000_000, UTC).date() for at in (scope.start, scope.end - 1))
    for one in signals.signals(store, first, scope.system):
        if one.day <= last:
            yield one


def _signatures(store: Store, scope: Scope) -> Rows:
    names = [f"{one.contract}@{one.version}" for one in owner.bindings(store, scope.system)]
    yield from signatures.signatures(store, names)


def _stale(store: Store, scope: Scope) -> Rows:
    for one in stale.stale(store, stale.Since(scope.system, scope.start), _MANY):
        if one.event_time < scope.end:
            yield one


def _suspended(store: Store, scope: Scope) -> Rows:
    yield from suspended.suspended_now(store, scope.end, scope.system)


def _tiers(store: Store, scope: Scope) -> Rows:
    yield from (one for one in tiers.tiers(store, scope.end) if one.system == scope.system)


def _touched(store: Store, scope: Scope) -> Rows:
    yield from touched.touched(store, touched.extent_of([scope.system], scope.start, scope.end))


def _unjudged(store: Store, scope: Scope) -> Rows:
    time = unjudged.Period(scope.start, scope.end)
    yield from unjudged.looked(store, estate_shown(store), time, [scope.system])


def _why(store: Store, scope: Scope) -> Rows:
    for start, end in _parts(store, scope):
        yield from why.within(store, scope.system, start, end)


def _parts(store: Store, scope: Scope) -> Iterator[tuple[int, int]]:
    """The parts of a time, the earliest first, with few enough decisions and calls in each to be held at once."""
    left = [(scope.start, scope.end)]
    while left:
        start, end = left.pop()
        counted = touched.touched(store, touched.extent_of([scope.system], start, end))
        found = sum(one.decisions + one.calls for one in counted)
        if found <= _AT_ONCE or end - start < SECOND:
            if found:
                yield start, end
            continue
        # Where there is nothing before the first or after the last, halving would find that slowly.
        first, last = min(one.first for one in counted), max(one.last for one in counted) + 1
        middle = first + (last - first) // 2
        left += [(middle, last), (first, middle)]


def _violation(one: Violation) -> dict[str, Any]:
    times = ("opened_at", "since", "detected_at", "acknowledged_at", "resolved_at")
    said = asdict(one)
    return {
        name: format_instant(value) if name in times and value is not None else value for name, value in said.items()
    }


QUESTIONS: Final = MappingProxyType[str, Ask](
    {
        "acknowledgements": _acknowledgements,
        "approvals": _approvals,
        "called": _called,
        "changed": _changed,
        "decisions": _decisions,
        "drift": _drift,
        "episodes": _episodes,
        "followups": _followups,
        "holds": _holds,
        "incidents": _incidents,
        "inventory": _inventory,
        "ledger": _ledger,
        "measured": _measured,
        "owner": _owner,
        "reviews": _reviews,
        "seen": _seen,
        "signals": _signals,
        "signatures": _signatures,
        "stale": _stale,
        "suspended": _suspended,
        "tiers": _tiers,
        "touched": _touched,
        "unjudged": _unjudged,
        "why": _why,
    }
)
"""By the name of the question's module."""
