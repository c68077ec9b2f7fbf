"""Following: from a clause's findings to what becomes of its episodes, and what is emitted of them.

Pure: episodes and findings in, episodes and their new states out. When a finding is made is the clause's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

from seamwatch.engine.emitted import Emitter
from seamwatch.engine.episodes import Episode, notice_of, open_episode, resolve_episode, update_episode
from seamwatch.engine.handover import carried
from seamwatch.engine.seams import BoundClause
from seamwatch.engine.spent import Spent, times_spent, with_spent
from seamwatch.engine.verdicts import verdict_of
from seamwatch.judging.model.facts import DRILL, Suspended, Violation
from seamwatch.judging.model.judgement import Answered, Finding, Open, Remind, Resolve, Suspend

_Identity = tuple[str, str | None, str]


@dataclass(frozen=True, slots=True)
class Finder:
    """Who found it: the clause as it binds the system, and since when its version has been in force (micros).

    ``precedes`` says of another version whether this one governed before it.
    """

    bound: BoundClause
    since: int
    precedes: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Followed:
    """The episodes that are open after some findings, and which names are spent."""

    episodes: tuple[Episode, ...]
    spent: tuple[Spent, ...]


def follow(
    episodes: Sequence[Episode],
    finder: Finder,
    findings: Sequence[Finding],
    at: int,
    out: Emitter,
    opened: Callable[[Episode, int | None], Episode],
    *,
    climbs: bool,
    spent: tuple[Spent, ...] = (),
    remembered: int | None = None,
) -> Followed:
    """What becomes of the episodes by some findings that were made at ``at`` (the clock that dates them).

    ``opened`` is handed each new episode, and when it is over if that was found with it (event time), and gives it back
    with the answers that came before it. ``remembered``: for how long the name of an episode that is over is, in
    micros; None for good.
    """
    seam, clause, kind = finder.bound.seam, finder.bound.clause.id, finder.bound.clause.kind_name
    on_breach = finder.bound.clause.on_breach
    climbs = climbs and on_breach != "review"
    kept = {_identity(episode): episode for episode in episodes}
    for number, found in enumerate(findings):
        if isinstance(found, Open):
            # Nothing is a breach of a version before that version is in force.
            known = replace(found, opened_at=max(found.opened_at, finder.since))
            name = _known_as(kept, known, seam.contract_version)
            before = kept.get(name)
            if before is None:
                times = times_spent(spent, known.severity, known.slice, known.key)
                after = open_episode(seam, clause, kind, known, max(at, known.opened_at), climbs=climbs, before=times)
            elif before.violation.contract_version == seam.contract_version:
                after = update_episode(before, known)
            else:
                after = carried(before, known, finder.bound, former=finder.precedes(before.violation.contract_version))
            if after != before:
                out.violations.append(after.violation)
                out.dated(after.violation, None if before is None else before.violation, on_breach)
            if before is None:
                answered = opened(after, _over_at(findings[number:], known))
                if answered != after:
                    out.violations.append(answered.violation)
                after = answered
            kept[name] = after
        elif isinstance(found, Resolve):
            episode = kept.pop(_known_as(kept, found, seam.contract_version), None)
            if episode is not None:
                over = resolve_episode(episode, found)
                out.violations.append(over)
                spent = spent_by(episode, over, spent, remembered)
        else:
            _told(found, finder.bound, at, out)
    return Followed(tuple(kept.values()), spent)


def _told(found: Answered | Suspend | Remind, bound: BoundClause, at: int, out: Emitter) -> None:
    """What is told of a finding that is no episode's."""
    seam, clause = bound.seam, bound.clause
    if isinstance(found, Answered):
        out.add_verdict(verdict_of(found, seam.system, bound, at))
    elif isinstance(found, Suspend):
        # At the stream's clock; in a replay, which has none, at the time from which it holds.
        out.suspended.append(Suspended(system=seam.system, judged_at=max(at, found.since), **asdict(found)))
    else:
        out.notices.append(notice_of(seam, clause.id, clause.kind_name, found, max(at, -(2**62))))


def spent_by(episode: Episode, over: Violation, spent: tuple[Spent, ...], remembered: int | None) -> tuple[Spent, ...]:
    """The spent names with that of an episode that is over."""
    until = None if remembered is None else (over.resolved_at or over.opened_at) + remembered
    return with_spent(spent, over.severity, over.slice, episode.key, until)


def _over_at(findings: Sequence[Finding], opened: Open) -> int | None:
    """When what is opened is over, if it is over among these findings."""
    ends = (
        found.at
        for found in findings
        if isinstance(found, Resolve)
        and (found.severity, found.slice, found.key) == (opened.severity, opened.slice, opened.key)
    )
    return next(ends, None)


def _identity(episode: Episode) -> _Identity:
    return episode.violation.severity, episode.violation.slice, episode.key


def _known_as(kept: dict[_Identity, Episode], found: Open | Resolve, version: str) -> _Identity:
    """The identity of the episode that a finding is of; another version may have opened it with another severity."""
    own = (found.severity, found.slice, found.key)
    if own in kept:
        return own
    if found.severity == DRILL:
        return own
    other = ("warning" if found.severity == "breach" else "breach", found.slice, found.key)
    return other if other in kept and kept[other].violation.contract_version != version else own
