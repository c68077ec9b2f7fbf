"""Withdrawals: what somebody takes back who may, and that they are told of it when it counts for nothing.

One part of the clause `change_notice`. Pure: states in, states and findings out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from seamwatch.clauses.change_notice import state as limits
from seamwatch.clauses.change_notice.clocks import Clocks, no_longer_refused
from seamwatch.clauses.change_notice.state import ChangeNoticeState, Withdrawal
from seamwatch.judging.model.facts import Evidence, ForwardedEvent
from seamwatch.judging.model.judgement import Finding, Moment, Open, Resolve
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.announcements import (
    may_withdraw,
    why_unproven,
    why_withdrawal_void,
    withdrawn,
    withdrawn_text,
)


def taking_back(seam: Seam, state: ChangeNoticeState, change_id: str, by: str) -> list[Withdrawal]:
    """The withdrawals that take back what ``by`` announced under this id."""
    return [w for w in state.withdrawals if w.change_id == change_id and may_withdraw(seam, w.by, by)]


def withdraw(
    agreed: Clocks, seam: Seam, state: ChangeNoticeState, event: ForwardedEvent, moment: Moment
) -> tuple[ChangeNoticeState, tuple[Finding, ...]]:
    """A withdrawal: what it takes back, or why it is void."""
    record = event.record
    change_id, at, by = record["change_id"], int(record["event_time"]), record["announced_by"]
    announced = any(said.change_id == change_id for said in state.changes)
    if (announced or any(v.change_id == change_id for v in state.values)) and at >= moment.horizon:
        why = _why_void(seam, state, record)
        if why is not None:
            return _refuse(agreed, seam, state, event, why)
    if why_unproven(seam, record) is not None:
        return state, ()
    withdrawals = (*state.withdrawals, Withdrawal(change_id, by, at))[-limits.WITHDRAWALS_KEPT :]
    changes, gone = withdrawn(seam, state.changes, record)
    texts = {said.called: withdrawn_text(record, said) for said in gone}
    over: list[Finding] = []
    for before in (clock for clock in state.clocks if clock.name in texts):
        clock = before
        if not clock.stopped and not clock.missed and clock.due < at:
            # It had run out before, whether or not anybody had asked.
            clock, missed = agreed.miss(seam, clock)
            over.append(missed)
        over += [
            Resolve(agreed.severity, key, at, slice=clock.slice, summary=texts[clock.name])
            for key, is_open in (("missed", clock.missed), ("objection", clock.objected is not None))
            if is_open
        ]
    over += [Resolve(agreed.severity, "notice", at, slice=c, summary=texts[c]) for c, _ in state.short if c in texts]
    values = tuple(
        replace(value, withdrawn=at)
        if value.change_id == change_id
        and value.withdrawn is None
        and value.at <= at
        and may_withdraw(seam, by, value.by)
        else value
        for value in state.values
    )
    state = replace(
        state,
        clocks=tuple(clock for clock in state.clocks if clock.name not in texts),
        short=tuple(entry for entry in state.short if entry[0] not in texts),
        changes=changes,
        values=values,
        withdrawals=withdrawals,
    )
    return state, tuple(over)


def _why_void(seam: Seam, state: ChangeNoticeState, record: dict[str, Any]) -> str | None:
    change_id = record["change_id"]
    announcers = [said.by for said in state.changes if said.change_id == change_id]
    announcers += [value.by for value in state.values if value.change_id == change_id]
    return why_withdrawal_void(seam, tuple(dict.fromkeys(announcers)), record)


def _refuse(
    agreed: Clocks, seam: Seam, state: ChangeNoticeState, event: ForwardedEvent, why: str
) -> tuple[ChangeNoticeState, tuple[Finding, ...]]:
    """A withdrawal that is void changes nothing, and somebody is told why, since they may rely on it."""
    record = event.record
    at, key, change = int(record["event_time"]), f"withdrawal/{record['event_id']}", record["change_id"]
    if any(key == known for known, _ in state.refused):
        return state, ()
    evidence = Evidence(at, record["event_id"], event.topic, event.partition, event.offset)
    text = f"{seam.system}: change {change} is not withdrawn by {record['announced_by']}: {why}"
    opened = Open("warning", key, at, text, slice=change, evidence=(evidence,))
    refused = (*state.refused, (f"{key}/{change}", at + agreed.quiet))
    gone = tuple(no_longer_refused(name, at) for name, _ in refused[: -limits.WITHDRAWALS_KEPT])
    return replace(state, refused=refused[-limits.WITHDRAWALS_KEPT :]), (opened, *gone)
