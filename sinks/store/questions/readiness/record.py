"""What the record would show: a swap that nobody announced, and the log of decisions to who may only read. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from seamwatch.durations import HOUR
from seamwatch.judging.patterns.wording import moment_text
from sinks.store.questions.readiness.row import Said, no, not_known, yes

if TYPE_CHECKING:
    from sinks.store.questions.readiness.known import Known, Watched

WITHIN: Final = 48 * HOUR
"""A swap is to be seen so soon."""
SWAP: Final = 0.1
"""Of a swap that moves no pass rate by so much nothing is asked."""


def swap(known: Known) -> Said:
    """Some clause on the scores would find, at the rate at which they come, what moves any pass rate by a tenth."""
    if not known.watched:
        return no(
            "no clause in force looks at its scores",
            "agree on a clause of kind distribution (`seamwatch contracts new distribution`)",
        )
    able = [one for one in known.watched if one.unknown is None]
    best = min(able, key=_move, default=None)
    if best is None:
        return not_known("; ".join(f"{one.clause}: {one.unknown}" for one in known.watched), "see docs/readiness.md")
    if _move(best) <= SWAP:
        return yes(_found(best))
    remedy = "give its clause a larger reference or a smaller 'floor', or have every decision give its score"
    unknown = [one for one in known.watched if one.unknown is not None]
    if unknown:
        rest = "; ".join(f"{one.clause}: {one.unknown}" for one in unknown)
        return not_known(f"{_found(best)}; {rest}", remedy)
    return no(_found(best), remedy)


def _move(one: Watched) -> float:
    return 1.0 if one.move is None else one.move


def _found(one: Watched) -> str:
    rate = f"with {one.scores:,.0f} scores in 48 hours"
    if one.move is None:
        return f"{one.clause}: {rate} nothing would be found: they come in too few of its windows"
    return (
        f"{one.clause}: {rate} it finds what moves any pass rate by {one.move:.1%} or more (asked: {SWAP:.0%}), "
        f"and is not sure to find less; by {one.rests_on}"
    )


def decision_log(known: Known) -> Said:
    """The log was pulled just now by an address that may not write."""
    pulled = known.pulled
    own = "make a reader (`seamwatch store roles`), and set SEAMWATCH_AUDITOR_URL"
    if pulled is None:
        return not_known("nobody tried", "ask by the auditor's address: seamwatch readiness")
    who = f"user {pulled.user!r}"
    if pulled.may_write:
        return no(f"the address by which it was asked is of {who}, who may also write", own)
    if pulled.may_write is None:
        return not_known(f"the store does not say whether {who} may write", own)
    if not pulled.decisions:
        return not_known(
            f"{who} may only read, and there is no decision or call of the last {pulled.days} days to pull",
            "see that its decisions are emitted (docs/emitting.md)",
        )
    return yes(
        f"{who}, who may only read, pulled {pulled.decisions:,} decisions and calls of the last {pulled.days} days, "
        f"the newest of {moment_text(pulled.newest or 0)}"
    )
