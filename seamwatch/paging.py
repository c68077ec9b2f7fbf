"""Paging: who is told what, and what came of telling, as values; and the words in which a person is woken.

Between the pager, which knows what is due, and the channels, which know how to reach people. Sends nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import quote

from seamwatch.durations import SECOND, format_duration
from seamwatch.judging.model.facts import WITHDRAWN, Notice, Violation
from seamwatch.judging.patterns.wording import moment_text, number_text, share_text
from seamwatch.outages import Outage
from seamwatch.printable import on_one_line
from seamwatch.remedies import ack_command, remedy_command, reminded_command, sign_commands

DELIVERED: Final = "delivered"
"""The result of an attempt that reached the channel; any other result says why it did not."""

NOTICE: Final = "notice"
"""The severity of what is told and is no violation."""

OUTAGE: Final = "outage"
"""The kind of what is told of Seamwatch itself."""

UNCONFIRMED: Final = frozenset({"follow_up"})
"""The clause kinds whose summaries ask for no receipt."""

_LISTED: Final = 5
_OPEN: Final = ("open", "escalated")


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is paged; ``channels`` are Apprise URLs as published, environment references unresolved.

    ``known`` is False of somebody whom no published document knows; ``signs`` is True of who has published keys.
    """

    id: str
    name: str
    channels: tuple[str, ...] = ()
    known: bool = True
    signs: bool = False


NOBODY: Final = Recipient("nobody", "nobody is named for this; set SEAMWATCH_DEFAULT_OWNER")
"""Who is told, by the console, where no person is named."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a recipient is told; ``about`` are the (violation_id, step) it stands for, by which it is deduplicated."""

    title: str
    body: str
    severity: str
    about: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one channel: ``result`` is ``delivered``, or why not. The channel's label holds no secret."""

    channel: str
    sent_at: int
    result: str

    @property
    def delivered(self) -> bool:
        """Whether the channel took the page."""
        return self.result == DELIVERED


class Deliver(Protocol):
    """Tells a recipient, by each of their channels; yields each channel's last attempt as soon as it is known.

    Raises nothing for a channel that fails: that is an attempt's result.
    """

    def __call__(self, recipient: Recipient, page: Page) -> AsyncIterator[Attempt]:
        """Start telling."""
        ...


def is_open(violation: Violation) -> bool:
    """Whether somebody is to be told: it is open or escalated, not acknowledged or resolved."""
    return violation.state in _OPEN


def page_of(violation: Violation, recipient: Recipient, now: int, board: str | None = None) -> Page:
    """What one violation says to the person who must act: what, how bad, since when, what to do.

    ``board``: the address of the board, where it can be looked at and taken on.
    """
    lines = [violation.summary, "", f"System    {violation.system}"]
    if violation.slice and violation.slice != violation.system:
        lines.append(f"Slice     {violation.slice}")
    lines.append(f"Severity  {violation.severity}")
    if violation.observed is not None and violation.limit is not None:
        measured = measure_text(violation.observed, violation.unit, violation.limit)
        lines.append(f"Observed  {measured}, agreed {measure_text(violation.limit, violation.unit, violation.limit)}")
    since = violation.opened_at if violation.since is None else violation.since
    lines.append(f"Since     {since_text(since, now)}")
    if violation.opened_at != since:
        lines.append(f"Opened    {since_text(violation.opened_at, now)}")
    lines.append(f"Contract  {violation.contract}@{violation.contract_version}, clause {violation.clause}")
    if violation.step:
        lines.append(f"Escalated to you: step {violation.step + 1}, nobody before you acknowledged in time")
    lines += ["", "To take it on:", f"  {_ack(violation.violation_id, recipient)}"]
    if board is not None:
        lines.append(f"  or look at it, and take it on, at {board}/episodes/{quote(violation.violation_id, safe='')}")
    if (remedy := remedy_command(violation, recipient.id, signs=recipient.signs)) is not None:
        lines += ["", "To end it, once it is done:", f"  {remedy}"]
    if commands := sign_commands(violation):
        lines += ["", "To end it, each signs, and the contract is published again:"]
        lines += [f"  {command}" for command in commands]
    title = f"{violation.severity.upper()} {violation.system}: {violation.clause}"
    about = ((violation.violation_id, violation.step),)
    return _page(title, lines, violation.severity, about)


def _page(title: str, lines: Sequence[str], severity: str, about: tuple[tuple[str, int], ...]) -> Page:
    # What others named must neither move a cursor nor begin a line that looks like one of ours.
    return Page(on_one_line(title), "\n".join(map(on_one_line, lines)), severity, about)


def notice_as_due(notice: Notice) -> Violation:
    """A notice in the form in which the pager keeps what is due: open until it is delivered, never escalated.

    Its kind is what is told; the clause's kind stands in ``unit``, since a notice measures nothing.
    """
    # That something was withdrawn is told as a summary is, and asks nobody for a receipt.
    kind = WITHDRAWN if notice.kind == WITHDRAWN else notice.type
    return Violation(
        violation_id=notice.notice_id, contract=notice.contract, contract_version=notice.contract_version,
        contract_digest=notice.contract_digest, clause=notice.clause, kind=kind, system=notice.system,
        slice=notice.slice, severity=NOTICE, state="open", observed=None, limit=None, unit=notice.kind,
        summary=notice.summary, opened_at=notice.due_at, since=None, detected_at=notice.detected_at,
        person=notice.person,
    )  # fmt: skip


def reminder_of(due: Violation, recipient: Recipient, now: int) -> Page:
    """What a reminder or a summary says: its sentence, by when, and how to answer."""
    lines = [due.summary, "", f"System    {due.system}"]
    if due.kind == "reminder":
        lines.append(f"Due       {moment_text(due.opened_at)}, in {format_duration(max(0, due.opened_at - now))}")
    of_clause = f", clause {due.clause}" if due.clause else ""
    lines.append(f"Contract  {due.contract}@{due.contract_version}{of_clause}")
    if due.kind == "reminder":
        command = reminded_command(due, due.unit or "", recipient.id, signs=recipient.signs)
        if command is not None:
            how = "To answer:" if due.unit == "change_notice" else "Once it is done:"
            lines += ["", how, f"  {command}"]
    if due.kind == "summary" and due.unit not in UNCONFIRMED:
        lines += ["", "To confirm that you have it:", f"  {_ack(due.violation_id, recipient)}"]
    title = f"{due.kind.upper()} {due.system}: {due.clause or due.contract}"
    return _page(title, lines, NOTICE, ((due.violation_id, due.step),))


def outage_as_due(outage: Outage) -> Violation:
    """An outage in the form in which the pager keeps what is due; its step 1 tells that it is over."""
    return Violation(
        violation_id=outage.outage_id, contract="", contract_version="", contract_digest="", clause=outage.fault,
        kind=OUTAGE, system=outage.stage, slice=None, severity=NOTICE, state="open", observed=None, limit=None,
        unit=None, summary=outage.summary, opened_at=outage.since, since=outage.since, detected_at=outage.detected_at,
        person=outage.person, step=0 if outage.state == "open" else 1,
    )  # fmt: skip


def outage_of(due: Violation) -> Page:
    """What an outage says: that Seamwatch itself does not do its work, or does again, and where to look."""
    over = due.step > 0
    lines = [due.summary]
    if not over:
        lines += ["", "To see more:", "  seamwatch doctor"]
    title = f"{'OVER' if over else 'OUTAGE'} {due.system}: {due.clause}"
    severity = NOTICE if over else "breach"
    return _page(title, lines, severity, ((due.violation_id, due.step),))


def digest_of(violations: Sequence[Violation], recipient: Recipient, now: int, board: str | None = None) -> Page:
    """What many violations at once say to one person: how many, the worst five, and how to see the rest."""
    ranked = sorted(violations, key=lambda v: (v.severity != "breach", -v.opened_at, v.violation_id))
    breaches = sum(violation.severity == "breach" for violation in ranked)
    lines = [f"{len(ranked)} violations wait for you, {breaches} of them breaches. The worst and latest:", ""]
    for violation in ranked[:_LISTED]:
        named = violation.summary.startswith((f"{violation.system}:", f"{violation.system} "))
        text = violation.summary if named else f"{violation.system}: {violation.summary}"
        lines += [text, f"  since {since_text(violation.opened_at, now)}"]
        lines += [f"  {_ack(violation.violation_id, recipient)}"]
    if len(ranked) > _LISTED:
        lines += ["", f"and {len(ranked) - _LISTED} more. To see all of them:", "  seamwatch violations --open"]
    if board is not None:
        lines += ["", f"To look at them, and take them on: {board}/?whose=mine"]
    about = tuple((violation.violation_id, violation.step) for violation in ranked)
    severity = "breach" if breaches else "warning"
    return _page(f"{len(ranked)} violations, {breaches} breaches", lines, severity, about)


def _ack(reference: str, recipient: Recipient) -> str:
    return ack_command(reference, None if recipient == NOBODY else recipient.id, signs=recipient.signs)


def since_text(moment: int, now: int) -> str:
    """A time and how long ago that was: ``2026-11-02 14:05:09 UTC, 26 h ago``."""
    if now < moment:
        return moment_text(moment)
    return f"{moment_text(moment)}, {format_duration(now - moment)} ago"


def measure_text(value: float, unit: str | None, limit: float | None = None) -> str:
    """A measured number with its unit, not rounded to a limit that it is not: ``27 h``, ``4.2 %``, ``0.73``."""
    if unit == "s":
        return format_duration(round(value * SECOND), None if limit is None else round(limit * SECOND))
    if unit == "share":
        return share_text(value, limit)
    return f"{number_text(value, limit)} {unit}" if unit else number_text(value, limit)
