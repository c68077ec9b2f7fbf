"""Words: what people attest of incidents, whose word counts, and what it comes to.

One part of the clause `incident`. Pure: states in, states and findings out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from seamwatch.clauses.incident import state as limits
from seamwatch.clauses.incident.clocks import Clocks
from seamwatch.clauses.incident.standing import standing_of
from seamwatch.clauses.incident.state import Case, IncidentState, Word
from seamwatch.clauses.incident.statement import Declaration, Withdrawal, read_declaration, read_report
from seamwatch.judging.model.facts import ForwardedEvent
from seamwatch.judging.model.judgement import Answered, Finding
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.answered import answered
from seamwatch.judging.patterns.faults import evidence_of
from seamwatch.judging.patterns.wording import moment_text
from seamwatch.signatures import attestation_fault

Found = tuple[IncidentState, tuple[Finding, ...]]


@dataclass(frozen=True, slots=True)
class Agreed:
    """What is agreed of declarations and reports; fields as in the clause."""

    clause: str
    by: str
    declared_by: tuple[str, ...]
    within: Mapping[str, int]
    complete_within: int | None

    def authorised(self, seam: Seam) -> tuple[str, ...]:
        """Who may declare, withdraw and report: who reports, whom the clause names, the owner, who signs."""
        owner = () if seam.owner is None else (seam.owner,)
        return tuple(dict.fromkeys((self.by, *self.declared_by, *owner, *seam.signatories)))

    def fault_of(self, seam: Seam, record: Mapping[str, Any]) -> tuple[str, str] | None:
        """Why an attestation counts for nothing whatever was said before, as a word and a sentence; None when it may.

        The same for whoever judges and whoever is about to say it.
        """
        own, subject, person = f"{seam.contract}#{self.clause}", str(record["subject"]), record["person"]
        if not subject.startswith(f"{own}/"):
            return "nobody_asks", f"its subject is {subject}, which is no violation under {own}"
        may = self.authorised(seam)
        if person not in may:
            return "not_asked", f"it is for {' or '.join(may)} to say, not for {person}"
        if person not in seam.keys:
            return "not_asked", f"{person} is nobody that the documents know"
        fault = attestation_fault(record, seam.keys[person])
        if fault is not None:
            return fault
        try:
            return self._void(record)
        except ValueError as error:
            return "unreadable", str(error)

    def _void(self, record: Mapping[str, Any]) -> tuple[str, str] | None:
        if record["kind"] == "report":
            said = read_report(record.get("statement"))
            if said.stage != "draft" and not record.get("evidence_uri"):
                return "no_evidence", "a report that was sent says where its receipt lies"
            return None
        declared = read_declaration(record.get("statement"))
        return None if isinstance(declared, Withdrawal) else self._untimely(declared, int(record["event_time"]))

    def _untimely(self, said: Declaration, at: int) -> tuple[str, str] | None:
        """What of a declaration's kind and times cannot be."""
        why = None
        if said.kind not in self.within:
            why = f"its kind is {said.kind}, none of {', '.join(self.within)}"
        elif said.aware_at > at:
            why = f"one is aware of it since {moment_text(said.aware_at)}, after it was declared"
        elif said.aware_at < said.began_at:
            began = moment_text(said.began_at)
            why = f"one is aware of it since {moment_text(said.aware_at)}, before it began ({began})"
        return None if why is None else ("unreadable", why)

    def word_of(self, record: Mapping[str, Any]) -> Word | None:
        """What an attestation that may count says; None for a draft, which changes nothing."""
        person, at, event_id = record["person"], int(record["event_time"]), record["event_id"]
        if record["kind"] == "report":
            stage = read_report(record.get("statement")).stage
            if stage == "draft":
                return None
            asked = stage == "initial" and self.complete_within is not None
            return Word(stage, person, at, event_id, due=at + (self.complete_within or 0) if asked else None)
        said = read_declaration(record.get("statement"))
        if isinstance(said, Withdrawal):
            return Word("withdrawn", person, at, event_id)
        due = said.aware_at + self.within[said.kind]
        return Word("declared", person, at, event_id, said.kind, said.aware_at, due)


def attested(agreed: Agreed, clocks: Clocks, seam: Seam, state: IncidentState, event: ForwardedEvent) -> Found:
    """An attestation of an incident or a report: what it comes to."""
    record = event.record
    fault = agreed.fault_of(seam, record)
    if fault is not None:
        return state, (answered(record, *fault),)
    violation_id = str(record["subject"]).removeprefix(f"{seam.contract}#{agreed.clause}/")
    case = next((one for one in state.cases if one.violation_id == violation_id), Case(violation_id))
    word = agreed.word_of(record)
    if word is None:
        return state, (answered(record, *_drafted(case, record)),)
    word = replace(word, evidence=evidence_of(event))
    if any(other.event_id == word.event_id for other in case.words):
        return state, ()
    before, after = standing_of(case.words).came, standing_of((*case.words, word)).came
    reason, summary = after[word.event_id]
    if reason not in ("counts", "unknown"):
        return state, (answered(record, reason, summary),)
    if len(case.words) >= limits.WORDS_KEPT:
        return state, (answered(record, "over", f"{limits.WORDS_KEPT} things were said of it, and no more are heard"),)
    findings: list[Finding] = [answered(record, reason, summary)]
    findings += [
        _again(seam, agreed, violation_id, other, *after[other.event_id])
        for other in case.words
        if after[other.event_id] != before[other.event_id]
    ]
    words = tuple(sorted((*case.words, word), key=lambda one: (one.at, one.event_id)))
    others = tuple(one for one in state.cases if one.violation_id != violation_id)
    state = replace(state, cases=(*others, replace(case, words=words)))
    state, gone = _evicted(clocks, seam, state, word.at)
    return state, (*findings, *gone)


def _drafted(case: Case, record: Mapping[str, Any]) -> tuple[str, str]:
    last = standing_of(case.words).last
    if last is None:
        return "unknown", "it is not declared an incident so far: declare it first"
    if int(record["event_time"]) < last.declared.at and last.number == 1:
        return "too_early", f"it was declared an incident at {moment_text(last.declared.at)}, after this draft"
    return "counts", f"{record['person']} has drafted its report"


def _again(seam: Seam, agreed: Agreed, violation_id: str, word: Word, reason: str, summary: str) -> Answered:
    """What a word came to that was heard before another which was given before it."""
    subject = f"{seam.contract}#{agreed.clause}/{violation_id}"
    return Answered(
        word.event_id, "attestation", subject, word.person, "accept", word.at, reason == "counts", reason, summary
    )


def _evicted(clocks: Clocks, seam: Seam, state: IncidentState, at: int) -> Found:
    """Without what waited too long, and the oldest beyond what is kept, first of those of which nothing is owed."""
    cases = [one for one in state.cases if standing_of(one.words).rounds or one.words[-1].at > at - limits.EARLY_FOR]
    if len(cases) > limits.CASES_KEPT:
        ranked = sorted(cases, key=lambda one: (_owes(one), one.words[0].at, one.violation_id))
        kept = {one.violation_id for one in ranked[-limits.CASES_KEPT :]}
        cases = [one for one in cases if one.violation_id in kept]
    left = {one.violation_id for one in cases}
    gone = [finding for one in state.cases if one.violation_id not in left for finding in clocks.ended(seam, one, at)]
    return replace(state, cases=tuple(cases)), tuple(gone)


def _owes(case: Case) -> bool:
    last = standing_of(case.words).last
    return last is not None and not last.over
