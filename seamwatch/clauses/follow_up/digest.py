"""Digests: what a quarter's or a month's follow-up comes to, for the parties: episodes, causes, actions, what recurs.

One part of the clause `follow_up`. A period is a calendar one, UTC; its digest is told a day after its end, so that
what ended in its last hours has been found. Pure: states in, states and findings out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, Literal

from seamwatch.clauses.follow_up import state as limits
from seamwatch.clauses.follow_up.state import Action, FollowUpState, Review
from seamwatch.durations import DAY, SECOND
from seamwatch.judging.model.judgement import Finding, Remind
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.wording import quoted

Period = Literal["quarterly", "monthly", "never"]

GRACE: Final = DAY
_LISTED: Final = 5
_MONTHS: Final = {"quarterly": 3, "monthly": 1}


def period_end(at: int, period: Period) -> int:
    """The end (micros) of the calendar period that an event time lies in; the first moment of the next."""
    months = _MONTHS[period]
    moment = datetime.fromtimestamp(at // SECOND, UTC)
    number = moment.year * 12 + (moment.month - 1) // months * months + months
    return _first_of(number)


def period_start(end: int, period: Period) -> int:
    """The start (micros) of the calendar period that ends then."""
    return _first_of(_month_number(end) - _MONTHS[period])


def begun(state: FollowUpState, at: int, period: Period) -> FollowUpState:
    """With something that ended at a time, so that its period is summed up."""
    if period == "never":
        return state
    end = period_end(at, period)
    if state.digested is not None and end <= state.digested:
        end = period_end(state.digested, period)
    return replace(state, digest_due=end if state.digest_due is None else min(end, state.digest_due))


def summed_up(
    seam: Seam, clause: str, to: Sequence[str], state: FollowUpState, period: Period, until: int
) -> tuple[FollowUpState, tuple[Finding, ...]]:
    """The digests that are due by event time ``until``, and what they leave to remember."""
    findings: list[Finding] = []
    if period == "never":
        return _without(state, 2**62), ()
    while state.digest_due is not None and state.digest_due + GRACE <= until:
        end = state.digest_due
        text = _text(seam, clause, state, end, period)
        findings += [Remind("summary", f"{end}/{person}", person, text, end) for person in to if text]
        state = _without(replace(state, digested=end), end)
        owed = bool(state.reviews or state.actions)
        state = replace(state, digest_due=period_end(end, period) if owed else None)
    return state, tuple(findings)


def _without(state: FollowUpState, end: int) -> FollowUpState:
    """Without what was done before ``end``, and is summed up."""
    reviews = tuple(one for one in state.reviews if one.given is None or one.given >= end)
    actions = tuple(one for one in state.actions if one.closed is None or one.closed >= end)
    gone = [one.violation_id for one in state.reviews if one not in reviews]
    done = (*state.done, *gone)[-limits.DONE_KEPT :]
    return replace(state, reviews=reviews, actions=actions, done=done)


def _text(seam: Seam, clause: str, state: FollowUpState, end: int, period: Period) -> str:
    start = period_start(end, period)
    ended = [one for one in state.reviews if start <= one.at < end]
    given = [one for one in state.reviews if one.given is not None and start <= one.given < end]
    parts = [
        _ended_text(ended), _causes_text(ended, end), _reviews_text(state.reviews, given, end),
        _actions_text(state.actions, start, end),
    ]  # fmt: skip
    said = "; ".join(part for part in parts if part)
    return f"{seam.system}: follow-up of {_name(start, period)} ({seam.contract}#{clause}): {said}" if said else ""


def _ended_text(ended: Sequence[Review]) -> str:
    if not ended:
        return ""
    times = Counter(one.clause for one in ended)
    listed = _listed([f"{clause} {count}" for clause, count in sorted(times.items())])
    again = _listed([clause for clause, count in sorted(times.items()) if count > 1])
    episodes = f"{len(ended)} episodes" if len(ended) > 1 else "1 episode"
    return f"{episodes} ended ({listed})" + (f"; what recurs: {again}" if again else "")


def _causes_text(ended: Sequence[Review], end: int) -> str:
    causes = [one.cause for one in ended if one.cause and one.given is not None and one.given < end]
    return f"causes: {_listed([quoted(cause) for cause in dict.fromkeys(causes)])}" if causes else ""


def _reviews_text(reviews: Sequence[Review], given: Sequence[Review], end: int) -> str:
    owed = [one for one in reviews if one.at < end and (one.given is None or one.given >= end)]
    return _counts_text("reviews", len(given), "given", len(owed), sum(one.due < end for one in owed))


def _actions_text(actions: Sequence[Action], start: int, end: int) -> str:
    closed = sum(one.closed is not None and start <= one.closed < end for one in actions)
    owed = [one for one in actions if one.at < end and (one.closed is None or one.closed >= end)]
    return _counts_text("actions", closed, "closed", len(owed), sum(one.due < end for one in owed))


def _counts_text(what: str, done: int, word: str, owed: int, overdue: int) -> str:
    if not done and not owed:
        return ""
    late = f", {overdue} of them overdue" if overdue else ""
    return f"{what}: {done} {word}, {owed} open{late}"


def _listed(words: Sequence[str]) -> str:
    more = f" and {len(words) - _LISTED} more" if len(words) > _LISTED else ""
    return ", ".join(words[:_LISTED]) + more


def _name(start: int, period: Period) -> str:
    moment = datetime.fromtimestamp(start // SECOND, UTC)
    return f"{moment:%Y-%m}" if period == "monthly" else f"{moment.year}-Q{(moment.month + 2) // 3}"


def _month_number(at: int) -> int:
    moment = datetime.fromtimestamp(at // SECOND, UTC)
    return moment.year * 12 + moment.month - 1


def _first_of(month: int) -> int:
    year, rest = divmod(month, 12)
    return int(datetime(year, rest + 1, 1, tzinfo=UTC).timestamp()) * SECOND
