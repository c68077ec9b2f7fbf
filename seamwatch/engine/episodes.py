"""Episodes: one breach from opening to resolution, who must act, and the escalation list it climbs.

Pure values and transitions; the keyed state holds them (`seamwatch.engine.keyed_state`). An episode's id is a
function of contract, clause, system, severity, slice and the key its clause gave, so that it is the same after a
crash and in a replay; where that has named an episode before, its number is in the id as well
(`seamwatch.engine.spent`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from seamwatch.judging.model.facts import CLIMBING, Notice, Violation
from seamwatch.judging.model.identity import identity
from seamwatch.judging.model.judgement import Open, Remind, Resolve
from seamwatch.judging.model.seam import Seam, Step
from seamwatch.judging.patterns.ladder import ladder
from seamwatch.judging.patterns.wording import moment_text

_CONTENT = ("opened_at", "since", "observed", "limit", "unit", "summary", "evidence", "unsigned_by")


@dataclass(frozen=True, slots=True)
class Episode:
    """An open episode: its latest state, its key, the list it climbs and when the next step is due (stream time).

    ``retracted_at``: when (event time) it was last taken back that somebody had taken it on.
    """

    violation: Violation
    key: str
    ladder: tuple[Step, ...]
    escalate_at: int | None = None
    retracted_at: int | None = None


def open_episode(
    seam: Seam, clause: str, kind: str, found: Open, now: int, *, climbs: bool, before: int = 0
) -> Episode:
    """A new episode, of whose name there were ``before`` others that are over.

    With ``climbs`` the first person's clock to acknowledge starts now (warnings never climb).
    """
    steps = ladder(seam.escalation, found.opened_at, found.person, found.said_by, seam.signatories)
    again = (str(before + 1),) if before else ()
    violation = Violation(
        violation_id=identity(seam.contract, clause, seam.system, found.severity, found.slice, found.key, *again),
        contract=seam.contract,
        contract_version=seam.contract_version,
        contract_digest=seam.contract_digest,
        clause=clause,
        kind=kind,
        system=seam.system,
        slice=found.slice,
        severity=found.severity,
        state="open",
        observed=found.observed,
        limit=found.limit,
        unit=found.unit,
        summary=found.summary,
        opened_at=found.opened_at,
        since=found.since,
        detected_at=now,
        person=steps[0].person if steps else None,
        evidence=found.evidence,
        unsigned_by=found.unsigned_by,
    )
    return _start_clock(Episode(violation, found.key, steps), now, climbs and found.severity in CLIMBING)


def update_episode(episode: Episode, found: Open) -> Episode:
    """The same episode with what is known now; equal to the old one when nothing changed."""
    return replace(episode, violation=replace(episode.violation, **{name: getattr(found, name) for name in _CONTENT}))


def resolve_episode(episode: Episode, over: Resolve) -> Violation:
    """The last state of an episode."""
    summary = over.summary or episode.violation.summary
    at = max(over.at, episode.violation.opened_at)
    return replace(episode.violation, state="resolved", resolved_at=at, summary=summary)


def acknowledge_episode(
    episode: Episode, person: str, answer: str, at: int, now: int, *, climbs: bool = True, also: Collection[str] = ()
) -> tuple[Episode, str, str]:
    """The episode after an answer, and what the answer came to, as a word and a sentence.

    An acceptance stops the climb; an objection hands over to the next person at once; a retraction starts the clock
    anew (with ``climbs``). Persons who are neither on the episode's list nor among ``also`` (the list in force now)
    change nothing.
    """
    before = episode.violation
    if episode.ladder and person not in {step.person for step in episode.ladder} and person not in also:
        asked = f"{before.contract}, clause {before.clause}"
        return episode, "not_asked", f"{person} is not on the list of those who are asked ({asked})"
    if answer == "retract":
        return _retract(episode, person, at, now, climbs=climbs)
    if before.state == "acknowledged":
        return episode, "taken", f"{before.acknowledged_by} took it on before"
    if answer == "object":
        if episode.escalate_at is None:
            return episode, "nobody_left", "there is nobody left on the list to hand it over to"
        after = escalate_episode(episode, now)
        return after, "counts", f"{person} hands it over to {after.violation.person}"
    if episode.retracted_at is not None and at <= episode.retracted_at:
        # Answers that another service relays may come in another order than they were given.
        return episode, "retracted", f"it was given before that was taken back at {moment_text(episode.retracted_at)}"
    violation = replace(before, state="acknowledged", acknowledged_at=at, acknowledged_by=person)
    return replace(episode, violation=violation, escalate_at=None), "counts", f"{person} takes it on"


def _retract(episode: Episode, person: str, at: int, now: int, *, climbs: bool) -> tuple[Episode, str, str]:
    """Nobody has taken it on any more; whoever had to act must again, and their clock starts now."""
    before = episode.violation
    since = episode.retracted_at
    episode = replace(episode, retracted_at=at if since is None else max(at, since))
    if before.state != "acknowledged":
        return episode, "not_taken", "nobody has taken it on; what was said before this does not count any more"
    if before.acknowledged_at is not None and at < before.acknowledged_at:
        said = f"{before.acknowledged_by} took it on at {moment_text(before.acknowledged_at)}"
        return episode, "too_early", f"it was given before {said}"
    state = "escalated" if before.step else "open"
    violation = replace(before, state=state, acknowledged_at=None, acknowledged_by=None)
    after = _start_clock(replace(episode, violation=violation), now, climbs and before.severity in CLIMBING)
    taker = before.acknowledged_by
    return after, "counts", f"{person} gives it back" if person == taker else f"{person} takes it back from {taker}"


def escalate_episode(episode: Episode, now: int) -> Episode:
    """The next person of the list must act; their clock starts now."""
    step = episode.violation.step + 1
    violation = replace(episode.violation, state="escalated", step=step, person=episode.ladder[step].person)
    return _start_clock(replace(episode, violation=violation), now, climbs=True)


def notice_of(seam: Seam, clause: str, kind: str, reminder: Remind, now: int) -> Notice:
    """The notice a reminder or summary becomes; its id is the same whenever it is judged."""
    of = (None, None) if reminder.of_system else (seam.contract, clause)
    return Notice(
        notice_id=identity(*of, seam.system, reminder.type, reminder.slice, reminder.key),
        type=reminder.type,
        contract=seam.contract,
        contract_version=seam.contract_version,
        contract_digest=seam.contract_digest,
        clause=clause,
        kind=kind,
        system=seam.system,
        slice=reminder.slice,
        person=reminder.person,
        summary=reminder.summary,
        due_at=reminder.due_at,
        detected_at=now,
    )


def _start_clock(episode: Episode, now: int, climbs: bool) -> Episode:
    step = episode.violation.step
    more = climbs and step + 1 < len(episode.ladder)
    return replace(episode, escalate_at=now + episode.ladder[step].acknowledge_within if more else None)
