"""Faults that rare events show, one by one: when the episode of each begins, goes on and ends.

A refresh, an attestation or a change either shows a fault or does not. An episode begins with the first event that
shows it and ends with the first later one that does not. Pure: faults in, faults and findings out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from seamwatch.judging.model.facts import Evidence, Fact, ForwardedEvent, merge_evidence
from seamwatch.judging.model.judgement import Finding, Open, Resolve
from seamwatch.judging.model.seam import Seam


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault as the first event that showed it tells it; ``what`` tells faults of the same slice apart."""

    summary: str
    evidence: tuple[Evidence, ...]
    slice: str | None = None
    what: str = ""
    observed: float | None = None
    limit: float | None = None
    unit: str | None = None

    @property
    def began(self) -> int:
        """Event time of the first event that showed it."""
        return self.evidence[0].event_time


def evidence_of(event: ForwardedEvent) -> Evidence:
    """The event as evidence."""
    record = event.record
    return Evidence(int(record["event_time"]), record["event_id"], event.topic, event.partition, event.offset)


def counted(seam: Seam, clause: str, event: ForwardedEvent, window: int, count: int, *, breaches: int = 0) -> Fact:
    """The event as what a clause counts in a window (micros), as if it had been measured."""
    evidence = evidence_of(event)
    at = evidence.event_time
    return Fact(
        seam.contract,
        seam.contract_version,
        seam.contract_digest,
        clause,
        seam.system,
        None,
        at - at % window,
        window,
        count,
        breaches,
        first_time=at,
        last_time=at,
        evidence=(evidence,),
    )


def follow(
    faults: Sequence[Fault],
    at: int,
    shown: Sequence[Fault],
    *,
    severity: Literal["warning", "breach"],
    newest: int | None = None,
) -> tuple[tuple[Fault, ...], tuple[Finding, ...]]:
    """The faults that are open after an event of time ``at`` that shows ``shown``, and what is to be told.

    ``newest`` is the time of the newest event judged before: an older one ends nothing, and what only it shows was
    over by then.
    """
    late = newest is not None and at < newest
    going_on = {(fault.slice, fault.what): fault for fault in faults}
    now = {(fault.slice, fault.what): fault for fault in shown}
    findings: list[Finding] = []
    kept: list[Fault] = []
    for name, fault in going_on.items():
        again = now.pop(name, None)
        if again is not None:
            # The episode keeps the words and the key it began with; only its evidence grows.
            grown = merge_evidence(fault.evidence, again.evidence) if not late else fault.evidence
            kept.append(replace(fault, evidence=grown))
            findings.append(_opened(kept[-1], severity))
        elif late:
            kept.append(fault)
        else:
            findings.append(_over(fault, severity, at))
    for fault in now.values():
        findings.append(_opened(fault, severity))
        if late and newest is not None:
            findings.append(_over(fault, severity, newest))
        else:
            kept.append(fault)
    return tuple(kept), tuple(findings)


def _key(fault: Fault) -> str:
    return f"{fault.began}/{fault.what}" if fault.what else str(fault.began)


def _opened(fault: Fault, severity: Literal["warning", "breach"]) -> Open:
    return Open(
        severity,
        _key(fault),
        fault.began,
        fault.summary,
        slice=fault.slice,
        since=fault.began,
        observed=fault.observed,
        limit=fault.limit,
        unit=fault.unit,
        evidence=fault.evidence,
    )


def _over(fault: Fault, severity: Literal["warning", "breach"], at: int) -> Resolve:
    return Resolve(severity, _key(fault), at, slice=fault.slice)
