"""Answers: who has acknowledged or objected to a change, which clock that stops, and what it comes to.

One part of the clause `change_notice`. Pure: states in, states and findings out.
"""

from __future__ import annotations

from dataclasses import replace

from seamwatch.clauses.change_notice import state as limits
from seamwatch.clauses.change_notice.clocks import Clocks
from seamwatch.clauses.change_notice.state import Answer, ChangeNoticeState, Clock
from seamwatch.durations import format_duration
from seamwatch.judging.model.facts import OBJECTION, Evidence, ForwardedEvent
from seamwatch.judging.model.judgement import Answered, Finding, Open, Resolve
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.announcements import may_withdraw
from seamwatch.judging.patterns.answered import answered, fault_of, unknown_text
from seamwatch.judging.patterns.ladder import asked as escalated
from seamwatch.judging.patterns.wording import quoted


def answer(
    agreed: Clocks, seam: Seam, state: ChangeNoticeState, event: ForwardedEvent
) -> tuple[ChangeNoticeState, tuple[Finding, ...]]:
    """An acknowledgement: what it comes to."""
    record = event.record
    person = record["person"]
    if person not in agreed.acknowledgers:
        return state, (answered(record, "not_asked", f"{person} is no acknowledger of changes of {seam.system}"),)
    fault = fault_of(record, seam.keys.get(person, ()))
    if fault is not None:
        return state, (answered(record, *fault),)
    answer = Answer(
        record["reference"],
        person,
        record["answer"],
        int(record["event_time"]),
        record["event_id"],
        quoted(record["note"]) if record.get("note") else "",
        record.get("change_digest") or "",
    )
    if all(said.change_id != answer.change_id for said in state.changes):
        back = [w for w in state.withdrawals if w.change_id == answer.change_id]
        if back and answer.at >= back[-1].at:
            return state, (answered(record, "over", f"{back[-1].by} withdrew change {answer.change_id}"),)
        early = (*state.early, answer)[-limits.EARLY_ANSWERS :]
        return replace(state, early=early), (answered(record, "unknown", unknown_text(record)),)
    return apply(agreed, seam, state, answer)


def apply(
    agreed: Clocks, seam: Seam, state: ChangeNoticeState, answer: Answer
) -> tuple[ChangeNoticeState, tuple[Finding, ...]]:
    """An answer to a change that is announced: the clocks of its person, and what it comes to."""
    findings: list[Finding] = []
    clocks = []
    effect = ("over", f"change {answer.change_id} is followed no longer")
    mine = [
        (clock.started, place)
        for place, clock in enumerate(state.clocks)
        if (clock.change_id, clock.person) == (answer.change_id, answer.person)
    ]
    asked = [(started, place) for started, place in mine if started <= answer.at]
    if mine and not asked:
        effect = ("too_early", f"it was given before change {answer.change_id} was announced")
    stands = state.clocks[max(asked)[1]].digest if asked else ""
    if stands and answer.digest and answer.digest != stands:
        # Whoever signed what was announced before, or what somebody showed them, has not agreed to this.
        text = f"it answers another announcement of change {answer.change_id} than the one that stands"
        return state, (_answered(answer, "other_announcement", text),)
    for place, clock in enumerate(state.clocks):
        if (clock.started, place) not in asked:
            clocks.append(clock)
            continue
        newest = (clock.started, place) == max(asked)
        after, more = _stop(agreed, seam, clock, answer, objects=newest and answer.answer == "object")
        if newest:
            effect = _effect(clock, answer, changed=after != clock)
        findings.extend(more)
        clocks.append(after)
    findings.append(_answered(answer, *effect))
    return replace(state, clocks=tuple(clocks)), tuple(findings)


def _effect(clock: Clock, answer: Answer, *, changed: bool) -> tuple[str, str]:
    """What an answer to a clock came to, as a word and a sentence."""
    if not changed:
        return "taken", f"{answer.person} has answered change {clock.change} before"
    verb = "objects to" if answer.answer == "object" else "acknowledges"
    return "counts", f"{answer.person} {verb} {clock.kind} change {clock.change}"


def _stop(agreed: Clocks, seam: Seam, clock: Clock, answer: Answer, *, objects: bool) -> tuple[Clock, list[Finding]]:
    findings: list[Finding] = []
    if not clock.stopped and answer.at > clock.due and not clock.missed:
        # The clock ran out before this answer was given, whether or not anybody had asked.
        clock, opened = agreed.miss(seam, clock)
        findings.append(opened)
    if clock.missed:
        took = format_duration(answer.at - clock.started)
        text = f"{seam.system}: {clock.person} answered change {clock.change} after {took}"
        ended = max(answer.at, clock.due)
        findings.append(Resolve(agreed.severity, "missed", ended, slice=clock.slice, summary=text))
    clock = replace(clock, stopped=True, missed=False)
    if objects and clock.objected is None:
        said = f": {answer.note}" if answer.note else ""
        summary = f"{seam.system}: {clock.person} objects to {clock.kind} change {clock.change}{said}"
        asked = clock.by if clock.by in seam.keys and clock.by != clock.person else None
        listed = (*(step.person for step in escalated(seam.escalation, answer.at, (clock.person,))), *seam.signatories)
        first = asked or next((person for person in listed if person != clock.person), None)
        ends_it = first is not None and may_withdraw(seam, first, clock.by)
        evidence = (Evidence(answer.at, answer.event_id), clock.evidence)
        findings.append(
            Open(
                agreed.severity,
                "objection",
                answer.at,
                summary,
                slice=clock.slice,
                since=clock.started,
                unit=OBJECTION if ends_it else None,
                person=asked,
                said_by=clock.person,
                evidence=tuple(sorted(evidence)),
            )
        )
        clock = replace(clock, objected=answer.at)
    elif answer.answer == "accept" and clock.objected is not None:
        findings.append(Resolve(agreed.severity, "objection", answer.at, slice=clock.slice))
        clock = replace(clock, objected=None)
    if answer.answer == "accept" and (clock.accepted is None or answer.at < clock.accepted):
        clock = replace(clock, accepted=answer.at)
    return clock, findings


def _answered(answer: Answer, reason: str, summary: str) -> Answered:
    return Answered(
        acknowledgement_id=answer.event_id,
        of="change",
        reference=answer.change_id,
        person=answer.person,
        answer=answer.answer,
        at=answer.at,
        counted=reason == "counts",
        reason=reason,
        summary=summary,
    )
