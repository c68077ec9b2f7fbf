"""Notices: the words of what a person is told that is no violation: a reminder, a scheduled summary, a withdrawal.

Values in, pages out. What a summary says beside its sentence, `seamwatch.summed` has; who asks for it, the pager knows.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from seamwatch.durations import format_duration
from seamwatch.incidents import Incident
from seamwatch.judging.model.facts import WITHDRAWN, Notice, Violation
from seamwatch.judging.patterns.wording import moment_text
from seamwatch.paging import NOTICE, Page, Recipient, page_saying, taking
from seamwatch.printable import on_one_line
from seamwatch.remedies import reminded_command
from seamwatch.sections import Section, printable_section, text_of
from seamwatch.summed import Summed

SUMMARY: Final = "summary"
"""The kind of what is due that is a scheduled summary."""

UNCONFIRMED: Final = frozenset({"follow_up"})
"""The clause kinds whose summaries ask for no receipt."""


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


def is_summary(due: Violation) -> bool:
    """Whether what is due is a scheduled summary, of an assertion, of conversations or of what was followed up."""
    return due.severity == NOTICE and due.kind == SUMMARY


def reminder_of(due: Violation, recipient: Recipient, now: int) -> Page:
    """What a reminder or a withdrawal says: its sentence, by when, and how to answer."""
    lines = [due.summary, "", f"System    {due.system}"]
    if due.kind == "reminder":
        lines.append(f"Due       {moment_text(due.opened_at)}, in {format_duration(max(0, due.opened_at - now))}")
    lines.append(_contract(due))
    if due.kind == "reminder":
        command = reminded_command(due, due.unit or "", recipient.id, signs=recipient.signs)
        if command is not None:
            how = "To answer:" if due.unit == "change_notice" else "Once it is done:"
            lines += ["", how, f"  {command}"]
    return page_saying(_title(due), lines, NOTICE, (Incident(due),))


def summary_of(due: Violation, recipient: Recipient, board: str | None = None, summed: Summed | None = None) -> Page:
    """What a summary says, in parts: how it held, what broke, what is owed, and how its receipt is confirmed.

    ``board``: the address of the board, which has a page of each. ``summed``: what it says beside its sentence.
    """
    link = None if board is None else f"{board}/summaries/{quote(due.violation_id, safe='')}"
    parts = [Section("", (due.summary,)), *(() if summed is None else summed.sections(board))]
    if link is not None:
        words = "What held, what broke, what is owed and what could not be judged, on one page:"
        confirms = due.unit not in UNCONFIRMED
        button = "Read it on one page, and confirm it" if confirms else "Read it on one page"
        parts.append(Section("", (words,), fixed=(f"  {link}",), button=(button, link)))
    if due.unit not in UNCONFIRMED:
        by_button = () if link is None else ("  or by one button on that page",)
        confirm = (f"  {taking(due.violation_id, recipient)}", *by_button)
        parts.append(Section("", ("To confirm that you have it:",), fixed=confirm))
    parts.append(Section(fixed=(f"System    {due.system}", _contract(due))))
    sections = tuple(map(printable_section, parts))
    about = ((due.violation_id, due.step),)
    incident = Incident(due, board=link, summed=None if summed is None else summed.fields(board))
    return Page(on_one_line(_title(due)), text_of(sections), NOTICE, about, (incident,), sections=sections)


def _title(due: Violation) -> str:
    return f"{due.kind.upper()} {due.system}: {due.clause or due.contract}"


def _contract(due: Violation) -> str:
    of_clause = f", clause {due.clause}" if due.clause else ""
    return f"Contract  {due.contract}@{due.contract_version}{of_clause}"
