"""Cohorts: a clause that judges cohorts by themselves says when one comes no longer, or is spelt otherwise.

A bound per cohort holds of what comes; of a cohort that is gone, or is another by a blank, it holds for ever. So the
events of such a clause are counted by the hour and cohort. A warning opens when a cohort that came on three days has
stayed away for the agreed time (`unjudged`) or, where it came on fewer, for seven times as long, and for twice its
longest pause so far at least, while at the share that it had ten events of it would have been expected. It is over
when the cohort comes again; one that is gone for 30 days more is expected no longer. Pure; whose cohorts are looked at
is the clause's.
"""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING, Final

from seamwatch.durations import DAY
from seamwatch.judging.model.facts import Evidence, Fact, merge_evidence
from seamwatch.judging.model.judgement import Finding, Input, Judgement, Moment, Open, Resolve
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.presence import Presence, seen
from seamwatch.judging.patterns.spelling import difference, meant
from seamwatch.judging.patterns.windows import earliest
from seamwatch.judging.patterns.wording import moment_text, share_text
from seamwatch.values import value

if TYPE_CHECKING:
    from seamwatch.clauses.clause import Clause
    from seamwatch.clauses.clause import Cohorts as Looked

MOST: Final = 500
"""Cohorts that are followed, and how many may come in an hour: more are none, and nothing is told of them."""
MOST_HOURS: Final = 24
HABIT: Final = 3
SELDOM: Final = 7
EXPECTED_FOR: Final = 30 * DAY
REMEMBERED: Final = 90 * DAY
_LONGEST: Final = 256
_KEY: Final = "cohort"
_EVENTS: Final = {"inference": "decision", "outcome": "outcome", "tool_call": "call"}


@value()
class Hour:
    """How many events of each cohort an hour had ("" for those without), and when something last arrived for it.

    ``crowded``: it had too many cohorts to be looked at. ``evidence``: the earliest of what is spelt otherwise.
    """

    start: int
    end: int
    arrived: int
    counts: tuple[tuple[str, int], ...] = ()
    crowded: bool = False
    evidence: tuple[tuple[str, tuple[Evidence, ...]], ...] = ()


@value()
class Followed:
    """A cohort ("" for any): how often it came, on how many days (`HABIT` at most), and its longest pause (micros).

    ``told``: the event time at which it was told that it comes no longer.
    """

    name: str
    presence: Presence
    days: int = 1
    pause: int = 0
    told: int | None = None


@value()
class Odd:
    """A cohort that is spelt otherwise: since when (micros), and the end of the last hour in which it came."""

    name: str
    since: int
    last: int


@value()
class Cohorts:
    """Hours that still fill, in order; the end of the last that was looked at; the cohorts."""

    hours: tuple[Hour, ...] = ()
    done: int = field(default=-(2**62))
    followed: tuple[Followed, ...] = ()
    odd: tuple[Odd, ...] = ()


def by_cohort(
    clause: Clause, seam: Seam, state: Cohorts | None, received: Input, moment: Moment
) -> tuple[Cohorts | None, Judgement]:
    """Look at each complete hour; the new state, and the judgement without it.

    What comes too late is counted by the clause's own states.
    """
    state = state or Cohorts()
    looked, after = clause.cohorts(), clause.unjudged_after
    if looked is None or after is None:
        watched: tuple[Followed | Odd, ...] = (*state.followed, *state.odd)
        over = [_over(one, moment.watermark) for one in watched if _is_emitted(one)]
        return None, Judgement(None, tuple(over))
    if isinstance(received, Fact) and received.window_end > state.done:
        state = replace(state, hours=_added(state.hours, received, moment, looked))
    findings: list[Finding] = []
    hours = state.hours
    while hours and (_complete(hours[0], moment) or len(hours) > MOST_HOURS):
        hour, hours = hours[0], hours[1:]
        state = _look(clause, seam, looked, after, replace(state, done=hour.end), hour, findings)
    state = replace(state, hours=hours)
    if not hours:
        state = _without_silent(state, moment.watermark, findings)
    ends = (hour.end for hour in hours if hour.end > moment.watermark)
    waits = (hour.arrived + moment.settle for hour in hours if moment.now - hour.arrived < moment.settle)
    deadline = earliest(*ends, *(odd.last + DAY for odd in state.odd if not hours))
    kept = state if hours or state.followed or state.odd else None
    return kept, Judgement(None, tuple(findings), deadline, earliest(*waits) if moment.settle else None)


def _complete(hour: Hour, moment: Moment) -> bool:
    return moment.watermark >= hour.end and moment.now - hour.arrived >= moment.settle


def _added(hours: tuple[Hour, ...], fact: Fact, moment: Moment, looked: Looked) -> tuple[Hour, ...]:
    name = fact.slice or ""
    if len(name) > _LONGEST:
        return hours
    if not looked.followed and meant(name) not in {meant(agreed) for agreed in looked.agreed}:
        return hours
    place = next((n for n, hour in enumerate(hours) if hour.start >= fact.window_start), len(hours))
    found = place < len(hours) and hours[place].start == fact.window_start
    hour = hours[place] if found else Hour(fact.window_start, fact.window_end, moment.now)
    counts, evidence = dict(hour.counts), dict(hour.evidence)
    counts[name] = counts.get(name, 0) + fact.count
    if fact.evidence:
        evidence[name] = merge_evidence(evidence.get(name, ()), fact.evidence)
    if hour.crowded or len(counts) > MOST:
        hour = Hour(hour.start, hour.end, moment.now, crowded=True)
    else:
        hour = Hour(hour.start, hour.end, moment.now, tuple(sorted(counts.items())), False, tuple(evidence.items()))
    return (*hours[:place], hour, *hours[place + found :])


def _look(
    clause: Clause, seam: Seam, looked: Looked, after: int, state: Cohorts, hour: Hour, findings: list[Finding]
) -> Cohorts:
    counts = dict(hour.counts)
    state = _spelt(clause, seam, looked, state, hour, findings)
    if not looked.followed or hour.crowded:
        return state
    total, odd = sum(counts.values()), {one.name for one in state.odd}
    named = total - counts.get("", 0)
    followed = {one.name: one for one in state.followed}
    kept: list[Followed] = []
    for name in dict.fromkeys((*followed, "", *counts)):
        if name in odd and name not in followed:
            continue
        hits, of = (counts.get(name, 0), named) if name else (named, total)
        one = _counted(followed.get(name), name, hits, of, hour)
        if one is None:
            continue
        before = followed.get(name)
        if hits and before is not None and before.told is not None:
            findings.append(_over(before, hour.end))
        if one.told is not None and hour.end - one.told >= EXPECTED_FOR:
            findings.append(_over(one, hour.end, f"{seam.system}: {_what(one, looked)} is expected no longer"))
            continue
        if hour.end - one.presence.last >= REMEMBERED:
            continue
        quiet = max(after if one.days >= HABIT else SELDOM * after, 2 * one.pause)
        if one.told is None and one.presence.missed(hour.end, quiet):
            one = replace(one, told=hour.end)
            findings.append(_gone(clause, seam, looked, one))
        kept.append(one)
    return replace(state, followed=_newest(kept, hour.end, findings))


def _counted(before: Followed | None, name: str, hits: int, of: int, hour: Hour) -> Followed | None:
    presence = seen(None if before is None else before.presence, hits, of, hour.end)
    if presence is None:
        return None
    if before is None:
        return Followed(name, presence)
    if not hits:
        return replace(before, presence=presence)
    last = before.presence.last
    another = hour.start // DAY > (last - 1) // DAY
    pause = max(before.pause, hour.start - last)
    return Followed(name, presence, min(HABIT, before.days + another), pause)


def _newest(kept: list[Followed], at: int, findings: list[Finding]) -> tuple[Followed, ...]:
    """As many as are followed; those that have been away the longest make room."""
    if len(kept) <= MOST:
        return tuple(kept)
    order = sorted(kept, key=lambda one: (one.name != "", -one.presence.last, one.name))
    findings.extend(_over(one, at) for one in order[MOST:] if one.told is not None)
    left = {one.name for one in order[:MOST]}
    return tuple([one for one in kept if one.name in left])


def _gone(clause: Clause, seam: Seam, looked: Looked, one: Followed) -> Open:
    last, of = one.presence.last, f"{one.presence.since:,} {_EVENTS[looked.source]}s"
    before = f"{share_text(one.presence.hits / one.presence.of)} of them did before"
    if one.name:
        summary = (
            f"{seam.system}: cohort {one.name!r} comes no longer, and {clause.id!r} has had nothing to judge of it, "
            f"since {moment_text(last)}: none of {of} that name a cohort names it; {before}"
        )
    else:
        summary = (
            f"{seam.system}: {clause.id!r} has had no cohort to judge since {moment_text(last)}: none of {of} names "
            f"one; {before}"
        )
    return Open("warning", f"{_KEY}/gone/{last}", one.told or last, summary, slice=one.name or None, since=last)


def _what(one: Followed, looked: Looked) -> str:
    return f"cohort {one.name!r}" if one.name else f"a cohort in {_EVENTS[looked.source]}s"


def _is_emitted(one: Followed | Odd) -> bool:
    return isinstance(one, Odd) or one.told is not None


def _over(one: Followed | Odd, at: int, summary: str | None = None) -> Resolve:
    key = f"{_KEY}/spelt/{one.since}" if isinstance(one, Odd) else f"{_KEY}/gone/{one.presence.last}"
    return Resolve("warning", key, at, slice=one.name or None, summary=summary)


def _spelt(clause: Clause, seam: Seam, looked: Looked, state: Cohorts, hour: Hour, findings: list[Finding]) -> Cohorts:
    """Told of the cohorts that mean an agreed one, or one that came before, and are spelt otherwise."""
    proper = {meant(name): name for name in looked.agreed}
    for one in state.followed:
        if one.name:
            proper.setdefault(meant(one.name), one.name)
    odd = {one.name: one for one in state.odd if one.last + DAY > hour.start}
    findings.extend(_over(one, one.last + DAY) for one in state.odd if one.name not in odd)
    evidence = dict(hour.evidence)
    for name, _ in sorted(hour.counts, key=lambda count: (-count[1], count[0])):
        other = proper.setdefault(meant(name), name) if name else name
        if other == name:
            continue
        before = odd.get(name)
        if before is not None:
            odd[name] = replace(before, last=hour.end)
        elif len(odd) < MOST:
            odd[name] = Odd(name, hour.start, hour.end)
            summary = (
                f"{seam.system}: {_EVENTS[looked.source]}s name cohort {name!r} since {moment_text(hour.start)}, which "
                f"differs from {'the agreed ' if other in looked.agreed else ''}{other!r} "
                f"{difference(name, other)}: {clause.id!r} takes it for another"
            )
            key = f"{_KEY}/spelt/{hour.start}"
            shown = evidence.get(name, ())
            findings.append(Open("warning", key, hour.end, summary, slice=name, since=hour.start, evidence=shown))
    return replace(state, odd=tuple(odd.values()))


def _without_silent(state: Cohorts, watermark: int, findings: list[Finding]) -> Cohorts:
    """What is spelt otherwise and has not come for a day is over."""
    over = [one for one in state.odd if one.last + DAY <= watermark]
    findings.extend(_over(one, one.last + DAY) for one in over)
    return replace(state, odd=tuple(one for one in state.odd if one not in over)) if over else state
