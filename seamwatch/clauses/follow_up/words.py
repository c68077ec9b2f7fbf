"""Words: what people attest of reviews and actions, which clock that starts or stops, and what it comes to.

One part of the clause `follow_up`. Pure: states in, states and findings out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from seamwatch.clauses.follow_up import state as limits
from seamwatch.clauses.follow_up.clocks import Clocks, Owed
from seamwatch.clauses.follow_up.state import Action, FollowUpState, Review, Word
from seamwatch.clauses.follow_up.statement import Statement, read_statement
from seamwatch.durations import format_duration
from seamwatch.judging.model.facts import Evidence, ForwardedEvent
from seamwatch.judging.model.judgement import Answered, Finding
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.wording import moment_text
from seamwatch.signatures import attestation_fault

Found = tuple[FollowUpState, tuple[Finding, ...]]


def attested(agreed: Clocks, seam: Seam, state: FollowUpState, event: ForwardedEvent) -> Found:
    """An attestation of a review or an action: what it comes to."""
    record = event.record
    fault = fault_of(agreed, seam, record)
    word = _word_of(agreed, seam, record)
    if fault is not None:
        return state, (_answered(word, *fault),)
    return _apply(agreed, seam, state, word)


def fault_of(agreed: Clocks, seam: Seam, record: Mapping[str, Any]) -> tuple[str, str] | None:
    """Why such an attestation counts for nothing whatever is owed, as a word and a sentence; None when it may count."""
    own, subject, person = f"{seam.contract}#{agreed.clause}", str(record["subject"]), record["person"]
    if not subject.startswith(f"{own}/"):
        return "nobody_asks", f"its subject is {subject}, which is no violation that {own} follows up on"
    if person not in seam.keys:
        return "not_asked", f"{person} is nobody that the documents know"
    if record["kind"] == "follow_up" and person != agreed.by:
        return "not_asked", f"it is for {agreed.by} to review it, not for {person}"
    fault = attestation_fault(record, seam.keys[person])
    if fault is not None or record["kind"] != "follow_up":
        return fault
    try:
        why = _why_void(seam, read_statement(record.get("statement")), int(record["event_time"]))
    except ValueError as error:
        why = str(error)
    return None if why is None else ("unreadable", why)


def _why_void(seam: Seam, said: Statement, at: int) -> str | None:
    """What of a statement's actions nobody can be held to."""
    for action in said.actions:
        if action.person not in seam.keys:
            return f"its action {action.id} is for {action.person}, whom the documents do not know"
        if action.due_at <= at:
            return f"its action {action.id} is due by {action.due}, before the review was given"
    return None


def heard(agreed: Clocks, seam: Seam, state: FollowUpState, slice_: str) -> Found:
    """What was said of a review or an action before it was known that it is owed."""
    came = sorted((word for word in state.early if word.slice == slice_), key=lambda word: (word.at, word.event_id))
    if not came:
        return state, ()
    state = replace(state, early=tuple(word for word in state.early if word.slice != slice_))
    findings: tuple[Finding, ...] = ()
    for word in came:
        state, more = _apply(agreed, seam, state, word)
        findings += more
    return state, findings


def _apply(agreed: Clocks, seam: Seam, state: FollowUpState, word: Word) -> Found:
    owed: tuple[Review, ...] | tuple[Action, ...] = state.reviews if word.kind == "follow_up" else state.actions
    asked = next((one for one in owed if one.slice == word.slice), None)
    if asked is None:
        return _unasked(state, word)
    if word.at < asked.at:
        before = "violation" if isinstance(asked, Review) else "the review that lists action"
        was = "was over" if isinstance(asked, Review) else "was given"
        return state, (_answered(word, "too_early", f"it was given before {before} {word.slice} {was}"),)
    if asked.done is not None:
        return state, (_answered(word, "over", f"that was done at {moment_text(asked.done)}"),)
    if isinstance(asked, Review):
        return _reviewed(agreed, seam, state, asked, word)
    return _closed(agreed, seam, state, asked, word)


def _unasked(state: FollowUpState, word: Word) -> Found:
    violation_id = word.slice.partition("/")[0]
    if violation_id in state.done:
        return state, (_answered(word, "over", f"what was owed of violation {violation_id} is done"),)
    if word.kind == "action" and any(r.violation_id == violation_id and r.given is not None for r in state.reviews):
        return state, (
            _answered(word, "over", f"the review lists no action {word.slice}, or it is followed no longer"),
        )
    what = "violation" if word.kind == "follow_up" else "action"
    said = f"{what} {word.slice} asks for nothing so far; this waits for 30 days, in case it does later"
    early = (*(other for other in state.early if other.at > word.at - limits.EARLY_FOR), word)
    return replace(state, early=early[-limits.EARLY_KEPT :]), (_answered(word, "unknown", said),)


def _reviewed(agreed: Clocks, seam: Seam, state: FollowUpState, asked: Review, word: Word) -> Found:
    said = read_statement(word.statement)
    review, findings = _in_time(agreed, seam, asked, word)
    review = replace(review, given=word.at, missed=False, cause=" ".join(said.cause.split())[:200])
    evidence = Evidence(word.at, word.event_id)
    actions = tuple(
        Action(asked.violation_id, one.id, asked.clause, one.person, one.what, word.at, one.due_at, evidence)
        for one in said.actions
    )
    reviews = tuple(review if one is asked else one for one in state.reviews)
    state = replace(state, reviews=reviews, actions=(*state.actions, *actions))
    count = f"{len(actions)} actions" if len(actions) != 1 else "1 action"
    findings.append(_answered(word, "counts", f"{word.person} has reviewed violation {asked.slice}: {count}"))
    state, gone = evicted(agreed, seam, state, word.at)
    findings.extend(gone)
    for action in actions:
        state, more = heard(agreed, seam, state, action.slice)
        findings.extend(more)
    return state, tuple(findings)


def _closed(agreed: Clocks, seam: Seam, state: FollowUpState, asked: Action, word: Word) -> Found:
    if word.person not in (asked.person, agreed.by):
        who = " or ".join(dict.fromkeys((asked.person, agreed.by)))
        return state, (_answered(word, "not_asked", f"it is for {who} to say that it is done, not for {word.person}"),)
    action, findings = _in_time(agreed, seam, asked, word)
    action = replace(action, closed=word.at, missed=False)
    findings.append(_answered(word, "counts", f"{word.person} says that action {asked.slice} is done"))
    return replace(state, actions=tuple(action if one is asked else one for one in state.actions)), tuple(findings)


def _in_time(agreed: Clocks, seam: Seam, asked: Owed, word: Word) -> tuple[Owed, list[Finding]]:
    """What is done, with its breach if it was overdue by then, whether or not anybody had asked."""
    findings: list[Finding] = []
    if not asked.missed and word.at > asked.due:
        asked, opened = agreed.miss(seam, asked)
        findings.append(opened)
    if asked.missed:
        verb = "reviewed" if isinstance(asked, Review) else "did"
        took = format_duration(word.at - asked.at)
        what = f"violation {asked.slice}" if isinstance(asked, Review) else f"action {asked.slice}"
        findings.append(agreed.over(asked, word.at, f"{seam.system}: {word.person} {verb} {what} after {took}"))
    return asked, findings


def evicted(agreed: Clocks, seam: Seam, state: FollowUpState, at: int) -> Found:
    """Without the oldest beyond what is kept, first of what is done; what was open of them is over, and says so."""
    if len(state.reviews) <= limits.REVIEWS_KEPT and len(state.actions) <= limits.ACTIONS_KEPT:
        return state, ()
    reviews, actions = _newest(state.reviews, limits.REVIEWS_KEPT), _newest(state.actions, limits.ACTIONS_KEPT)
    gone: list[Review | Action] = [review for review in state.reviews if review not in reviews]
    gone += [action for action in state.actions if action not in actions]
    findings = tuple(
        agreed.over(owed, at, f"{seam.system}: {owed.slice} is followed no longer, too many came after it")
        for owed in gone
        if owed.missed
    )
    return replace(state, reviews=reviews, actions=actions), findings


def _newest(owed: tuple[Owed, ...], most: int) -> tuple[Owed, ...]:
    if len(owed) <= most:
        return owed
    kept = set(sorted(owed, key=lambda one: (one.done is None, one.at, one.slice))[-most:])
    return tuple(one for one in owed if one in kept)


def _word_of(agreed: Clocks, seam: Seam, record: Mapping[str, Any]) -> Word:
    subject = str(record["subject"])
    return Word(
        record["kind"], subject.removeprefix(f"{seam.contract}#{agreed.clause}/"), subject, record["person"],
        int(record["event_time"]), record["event_id"],
        (record.get("statement") or "") if record["kind"] == "follow_up" else "",
    )  # fmt: skip


def _answered(word: Word, reason: str, summary: str) -> Answered:
    return Answered(
        word.event_id, "attestation", word.subject, word.person, "accept", word.at, reason == "counts", reason, summary
    )
