"""Announcements: the clocks that one starts, whether it came in time, and which clocks make room for them.

One part of the clause `change_notice`. Pure: states in, states and findings out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from seamwatch.clauses.change_notice import state as limits
from seamwatch.clauses.change_notice.answers import apply
from seamwatch.clauses.change_notice.clocks import Clocks
from seamwatch.clauses.change_notice.state import ChangeNoticeState, Clock
from seamwatch.clauses.change_notice.withdrawals import taking_back
from seamwatch.durations import SECOND, format_duration
from seamwatch.judging.model.facts import Evidence, ForwardedEvent
from seamwatch.judging.model.judgement import Finding, Moment, Open, Resolve
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.announcements import announced, words
from seamwatch.judging.patterns.serving import announces, with_announced


def announce(
    agreed: Clocks, seam: Seam, state: ChangeNoticeState, event: ForwardedEvent, moment: Moment
) -> tuple[ChangeNoticeState, tuple[Finding, ...]]:
    """An announcement: its clocks, and whether it came in time."""
    record = event.record
    change_id, at, by = record["change_id"], int(record["event_time"]), record["announced_by"]
    asked = agreed.concerns(record["kind"]) and at >= moment.horizon
    changes, name = announced(state.changes, record) if asked else (state.changes, "")
    if name is None:
        return state, ()
    back = min((w.at for w in taking_back(seam, state, change_id, by) if w.at >= at), default=None)
    values = tuple(replace(value, withdrawn=back) for value in announces(record, name))
    state = replace(state, values=with_announced(state.values, values))
    if not asked or back is not None:
        return state, ()
    evidence = Evidence(at, record["event_id"], event.topic, event.partition, event.offset)
    due, digest = at + agreed.acknowledge_within, changes[-1].digest
    clocks = tuple(
        Clock(change_id, name, record["kind"], who, at, due, evidence, by=by, digest=digest)
        for who in agreed.acknowledgers
    )
    state, findings = _evicted(agreed, seam, replace(state, clocks=state.clocks + clocks, changes=changes))
    state, more = _short_notice(agreed, seam, state, record, name, evidence)
    findings += more
    for answer in state.early:
        if answer.change_id == change_id and answer.at >= at:
            state, more = apply(agreed, seam, state, answer)
            findings += more
    return replace(state, early=tuple(a for a in state.early if a.change_id != change_id)), findings


def _short_notice(
    agreed: Clocks, seam: Seam, state: ChangeNoticeState, record: dict[str, Any], change: str, evidence: Evidence
) -> tuple[ChangeNoticeState, tuple[Finding, ...]]:
    at, effective = int(record["event_time"]), int(record["effective_at"])
    if agreed.notice_before is None or effective - at >= agreed.notice_before:
        return state, ()
    ahead = f"{format_duration(effective - at)} ahead" if effective > at else "after it took effect"
    summary = (
        f"{seam.system}: {record['kind']} change {words(record['change_id'], change)} was announced {ahead}, "
        f"agreed {format_duration(agreed.notice_before)}"
    )
    opened = Open(
        agreed.severity,
        "notice",
        at,
        summary,
        slice=change,
        evidence=(evidence,),
        observed=(effective - at) / SECOND,
        limit=agreed.notice_before / SECOND,
        unit="s",
    )
    short = (*state.short, (change, max(at, effective) + agreed.quiet))
    gone = tuple(Resolve(agreed.severity, "notice", at, slice=change) for change, _ in short[: -limits.CHANGES_KEPT])
    return replace(state, short=short[-limits.CHANGES_KEPT :]), (opened, *gone)


def _evicted(agreed: Clocks, seam: Seam, state: ChangeNoticeState) -> tuple[ChangeNoticeState, tuple[Finding, ...]]:
    """Without the oldest clocks beyond what is kept; what was open of them is over, and says why."""
    clocks = sorted(state.clocks, key=lambda clock: (clock.started, clock.slice))
    findings = []
    for clock in clocks[: -limits.CLOCKS_KEPT]:
        over = f"followed no longer, {limits.CLOCKS_KEPT:,} came after it"
        text = f"{seam.system}: change {clock.change} is {over}"
        for key, is_open in (("missed", clock.missed), ("objection", clock.objected is not None)):
            if is_open:
                at = clocks[-1].started
                findings.append(Resolve(agreed.severity, key, at, slice=clock.slice, summary=text))
    kept = set(clocks[-limits.CLOCKS_KEPT :])
    return replace(state, clocks=tuple(clock for clock in state.clocks if clock in kept)), tuple(findings)
