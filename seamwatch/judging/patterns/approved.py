"""Approved: which approval allows what was served, and in words why none does.

The one rule, for the clause `approval`, `seamwatch why`, `seamwatch approvals` and the gate: an approval allows what is
of its version, of that version's configuration digest where it has one, and of its use case (a tool call has none),
from `approved_at` until it expires or is revoked, but not while it falls short of the risk policy in force. Who may
approve is `seamwatch.documents.approving`. The stages ask it
as expressions over columns, and the store as SQL. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from seamwatch.configuration import changed
from seamwatch.expressions import Expression
from seamwatch.expressions.build import all_of, any_of, at_or_after, before, equals
from seamwatch.judging.model.measure import Source
from seamwatch.judging.model.seam import Approval, DeclaredVersion, Short
from seamwatch.judging.patterns.wording import digest_text, moment_text


@dataclass(frozen=True, slots=True)
class Served:
    """What served: ``config_digest`` None where none was given, ``use_case`` None of a call; ``at`` in micros."""

    version: str
    config_digest: str | None
    use_case: str | None
    at: int


def in_force(approval: Approval, at: int) -> bool:
    """Whether an approval is in force at an event time (micros); whether it is enough is another question."""
    return (approval.approved_at is None or approval.approved_at <= at) and (
        approval.ends is None or at < approval.ends
    )


def short(approval: Approval, at: int) -> Short | None:
    """How an approval falls short of the risk policy in force at an event time (micros); None when it does not."""
    return next((each for each in approval.short if each.since <= at < each.until), None)


def allowing(versions: Iterable[DeclaredVersion], served: Served) -> Approval | None:
    """The first approval that allows what was served; None when none does."""
    return next(
        (
            approval
            for declared in versions
            if declared.version == served.version and declared.config_digest in (None, served.config_digest)
            for approval in declared.approvals
            if served.use_case in (None, approval.use_case)
            and in_force(approval, served.at)
            and short(approval, served.at) is None
        ),
        None,
    )


def conditions(versions: Iterable[DeclaredVersion], source: Source) -> list[Expression]:
    """What allows an event, one condition an approval: `allowing` over columns."""
    found = []
    for declared in versions:
        build = [equals("version", declared.version)]
        if declared.config_digest is not None:
            build.append(equals("config_digest", declared.config_digest))
        for approval in declared.approvals:
            all_these = list(build)
            if source == "inference":
                all_these.append(equals("use_case", approval.use_case))
            if approval.approved_at is not None:
                all_these.append(at_or_after("event_time", approval.approved_at))
            if approval.ends is not None:
                all_these.append(before("event_time", approval.ends))
            all_these += [
                any_of(before("event_time", each.since), at_or_after("event_time", each.until))
                for each in approval.short
            ]
            found.append(all_of(*all_these))
    return found


def why_not(versions: Sequence[DeclaredVersion], served: Served) -> str:
    """Why nothing allows what was served: what of version, digest, use case or time is wrong, as far as it is right."""
    named = [declared for declared in versions if declared.version == served.version]
    if not named:
        return f"version {served.version} is not declared"
    alike = [declared for declared in named if declared.config_digest in (None, served.config_digest)]
    if not alike:
        return _other_digest(served, [d.config_digest for d in named if d.config_digest is not None])
    given = [approval for declared in alike for approval in (*declared.approvals, *(v.approval for v in declared.void))]
    if not given:
        return f"version {served.version} is declared, but nobody has approved it"
    if served.use_case is not None and all(approval.use_case != served.use_case for approval in given):
        known = ", ".join(dict.fromkeys(approval.use_case for approval in given))
        return f"version {served.version} is approved for {known}, not for {served.use_case or 'no use case'}"
    for declared in alike:
        for void in declared.void:
            if served.use_case in (None, void.approval.use_case) and in_force(void.approval, served.at):
                return f"approval {void.approval.approval_id} {void.reason}"
        for approval in declared.approvals:
            lacking = short(approval, served.at)
            if served.use_case in (None, approval.use_case) and in_force(approval, served.at) and lacking is not None:
                return f"approval {approval.approval_id} {lacking.reason}"
    times = [a for a in given if served.use_case in (None, a.use_case)]
    return _other_time(times, served.at)


def _other_digest(served: Served, approved: Sequence[str]) -> str:
    known = " or ".join(digest_text(digest) for digest in dict.fromkeys(approved))
    if not served.config_digest:
        return f"it names no configuration digest, and version {served.version} is approved with {known} only"
    parts = changed(served.config_digest, approved)
    other = "" if not parts else f": {', '.join(parts)} changed"
    return f"its configuration is {digest_text(served.config_digest)}, not {known}, which was approved{other}"


def _other_time(given: Sequence[Approval], at: int) -> str:
    ended = [approval for approval in given if approval.ends is not None and approval.ends <= at]
    if ended:
        last = max(ended, key=lambda approval: approval.ends or 0)
        how = "was revoked" if last.ends == last.revoked_at else "expired"
        return f"approval {last.approval_id} {how} at {moment_text(last.ends or 0)}"
    begun = [approval for approval in given if approval.approved_at is not None and approval.approved_at > at]
    if begun:
        first = min(begun, key=lambda approval: approval.approved_at or 0)
        return f"approval {first.approval_id} was given only at {moment_text(first.approved_at or 0)}"
    return "no approval was in force then"
