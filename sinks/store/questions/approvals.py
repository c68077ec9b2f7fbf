"""Who approved what for which use, until when, and what it has allowed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from seamwatch.durations import DAY
from seamwatch.judging.patterns.wording import moment_text
from sinks.store.questions.approved import Publications
from sinks.store.questions.rows import Micros, Where, columns, rows

if TYPE_CHECKING:
    from sinks.store.client import Store

UNUSED_AFTER: Final = 30 * DAY
"""An approval that has allowed nothing for so long is told of: it may be a version that serves under another name."""


@dataclass(frozen=True, slots=True)
class ApprovalGiven:
    """An approval, listed or listed once (``in_documents`` 1 or 0); ``void`` is why it counts for nothing, if so."""

    system: str
    version: str
    config_digest: str
    approval_id: str
    use_case: str
    approved_by: str
    approved_at: Micros | None
    expires: Micros | None
    events: int
    first_seen: Micros | None
    last_seen: Micros | None
    revoked_at: Micros | None
    in_documents: int
    events_after: int
    """How many events its version served after it had ended."""
    void: str | None = None


def never_used(given: ApprovalGiven, now: Micros) -> str | None:
    """That an approval which is in force has allowed nothing for a month, in a sentence; None where it has, or may yet.

    No violation: a version that waits to serve breaks nothing, and one that is kept for a roll-back never should.
    """
    begun, ends = given.approved_at, [end for end in (given.expires, given.revoked_at) if end is not None]
    idle = given.in_documents and not given.events and not given.events_after and given.void is None
    if not idle or begun is None or now - begun < UNUSED_AFTER or any(end <= now for end in ends):
        return None
    return (
        f"approval {given.approval_id} of version {given.version} of {given.system} for {given.use_case} has allowed "
        f"nothing since it was given at {moment_text(begun)}: look whether that serves under another name, or revoke it"
    )


def standing(one: ApprovalGiven, now: Micros) -> str:
    """Whether an approval is in force, in a word or two."""
    if one.void is not None:
        return f"counts for nothing: it {one.void}"
    if not one.in_documents:
        return "listed no more"
    if one.revoked_at is not None and one.revoked_at <= now:
        return "revoked"
    if one.expires is not None and one.expires <= now:
        return "expired"
    return "in force" if one.approved_at is not None and one.approved_at <= now else "not in force yet"


def approvals(store: Store, system: str | None = None, now: Micros | None = None) -> list[ApprovalGiven]:
    """Every approval, or those of one system, the newest version first.

    ``now``: one that falls short of the risk policy that is in force then counts for nothing.
    """
    where = Where()
    where.equal(system=system)
    of_view = columns(ApprovalGiven).removesuffix(", `void`")
    order = "ORDER BY system, version DESC, use_case, approval_id"
    found = rows(store, ApprovalGiven, f"SELECT {of_view} FROM approvals {where} {order}", where.values)
    void = Publications(store, [one.system for one in found]).void(now)
    answers = []
    for one in found:
        reason = void.get((one.system, one.approval_id)) if one.in_documents else None
        if reason is not None and reason.word == "signature":
            # The view counts a signature that is there; that it does not hold is seen here.
            one = replace(one, events=0, first_seen=None, last_seen=None)  # noqa: PLW2901
        answers.append(one if reason is None else replace(one, void=reason.reason))
    return answers
