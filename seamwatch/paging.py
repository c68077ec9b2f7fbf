"""Paging: who is told what, and what came of telling, as values; and the words in which a person is woken.

Between the pager, which knows what is due, and the channels, which know how to reach people. Sends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from seamwatch.durations import SECOND, format_duration
from seamwatch.incidents import AFTERWARDS, AGAIN, RESOLVED, TRIGGER, Ahead, Incident, News
from seamwatch.judging.model.facts import DRILL, Violation
from seamwatch.judging.patterns.wording import moment_text, number_text, share_text
from seamwatch.outages import Outage
from seamwatch.printable import on_one_line
from seamwatch.remedies import ack_command, remedy_command, sign_commands
from seamwatch.sections import Section

DELIVERED: Final = "delivered"
"""The result of an attempt that reached the channel; any other result says why it did not."""

NOTICE: Final = "notice"
"""The severity of what is told and is no violation."""

OUTAGE: Final = "outage"
"""The kind of what is told of Seamwatch itself."""

_LISTED: Final = 5
_SYSTEMS: Final = 3
_OPEN: Final = ("open", "escalated")


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is paged; ``channels`` are Apprise URLs as published, environment references unresolved.

    ``known`` is False of somebody whom no published document knows; ``signs`` is True of who has published keys.
    ``told_of`` is what they want to hear of what they were paged about.
    """

    id: str
    name: str
    channels: tuple[str, ...] = ()
    known: bool = True
    signs: bool = False
    told_of: tuple[str, ...] = AFTERWARDS


NOBODY: Final = Recipient("nobody", "nobody is named for this; set SEAMWATCH_DEFAULT_OWNER")
"""Who is told, by the console, where no person is named."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a recipient is told; ``about`` are the (violation_id, step) it stands for, by which it is deduplicated.

    ``incidents`` say the same to machines, one for each of ``about``; ``news`` is what is told of them. ``sections``
    are the body in its parts, of what has some.
    """

    title: str
    body: str
    severity: str
    about: tuple[tuple[str, int], ...]
    incidents: tuple[Incident, ...] = ()
    news: News = TRIGGER
    sections: tuple[Section, ...] = ()

    @property
    def references(self) -> tuple[str, ...]:
        """By which a receiver deduplicates, one for each of ``about``."""
        suffix = "" if self.news == TRIGGER else f"/{self.news}"
        return tuple(f"{violation}/{step}{suffix}" for violation, step in self.about)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one channel: ``result`` is ``delivered``, or why not. The channel's label holds no secret.

    ``reference`` is the channel's own name for the message, by which it can be changed; None where there is none.
    ``taken`` are the ids of those violations of a page that was refused which the channel took nonetheless.
    """

    channel: str
    sent_at: int
    result: str
    reference: str | None = None
    taken: frozenset[str] = frozenset()

    @property
    def delivered(self) -> bool:
        """Whether the channel took the page."""
        return self.result == DELIVERED


def is_open(violation: Violation) -> bool:
    """Whether somebody is to be told: it is open or escalated, not acknowledged or resolved."""
    return violation.state in _OPEN


def page_of(
    violation: Violation,
    recipient: Recipient,
    now: int,
    board: str | None = None,
    ahead: Ahead | None = None,
    *,
    news: News = TRIGGER,
) -> Page:
    """What one violation says to the person who must act: what, how bad, since when, what to do, and what comes next.

    ``board``: the address of the board, where it can be looked at and taken on. ``news`` is ``trigger`` or ``again``.
    """
    ahead = ahead or Ahead()
    incident = incident_of(violation, board, ahead, news)
    lines = [*_drill_lines(violation), violation.summary, "", f"System    {violation.system}"]
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
    if incident.evidence:
        lines.append(f"Offended  {', '.join(incident.evidence)}")
    if ahead.runbook is not None:
        lines.append(f"Runbook   {ahead.runbook}")
    lines += _ahead_lines(ahead, now)
    if violation.step:
        lines.append(f"Escalated to you: step {violation.step + 1}, nobody before you acknowledged in time")
    if news == AGAIN:
        lines.append("Told again: nobody has taken it on")
    if violation.state == "resolved":
        lines.append("It is over meanwhile: you could not be told before")
    lines += ["", "To take it on:", f"  {taking(violation.violation_id, recipient)}"]
    if incident.board is not None:
        lines.append(f"  or look at it, and take it on, at {incident.board}")
    if (remedy := remedy_command(violation, recipient.id, signs=recipient.signs)) is not None:
        lines += ["", "To end it, once it is done:", f"  {remedy}"]
    if commands := sign_commands(violation):
        lines += ["", "To end it, each signs, and the contract is published again:"]
        lines += [f"  {command}" for command in commands]
    return page_saying(title_of(violation), lines, violation.severity, (incident,), news)


def _drill_lines(violation: Violation) -> list[str]:
    return ["THIS IS A DRILL. Nothing has happened; act as if it had.", ""] if violation.severity == DRILL else []


def _ahead_lines(ahead: Ahead, now: int) -> list[str]:
    following = "nobody is after you on the list" if ahead.following is None else f"then {ahead.following} is told"
    if ahead.deadline is None:
        return [] if ahead.following is None else [f"Next      {ahead.following}"]
    left = f", in {format_duration(ahead.deadline - now)}" if ahead.deadline > now else ""
    return [f"Until     {moment_text(ahead.deadline)}{left}; {following}"]


def title_of(violation: Violation) -> str:
    """The title of what is told of a violation, by which people know it again."""
    return f"{violation.severity.upper()} {violation.system}: {violation.clause}"


def incident_of(violation: Violation, board: str | None, ahead: Ahead | None = None, news: News = TRIGGER) -> Incident:
    """The same for machines; ``board`` is the address of the board."""
    link = None if board is None else f"{board}/episodes/{quote(violation.violation_id, safe='')}"
    return Incident(violation, news, ahead or Ahead(), link)


def page_saying(
    title: str, lines: Sequence[str], severity: str, incidents: tuple[Incident, ...], news: News = TRIGGER
) -> Page:
    """A page of these lines, in which nothing that others named can pass for ours."""
    # What others named must neither move a cursor nor begin a line that looks like one of ours.
    about = tuple((each.violation.violation_id, each.violation.step) for each in incidents)
    return Page(on_one_line(title), "\n".join(map(on_one_line, lines)), severity, about, incidents, news)


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
    return page_saying(title, lines, severity, (Incident(due, RESOLVED if over else TRIGGER),))


def digest_of(
    violations: Sequence[Violation],
    recipient: Recipient,
    now: int,
    board: str | None = None,
    ahead: Mapping[str, Ahead] | None = None,
    *,
    news: News = TRIGGER,
) -> Page:
    """What many violations at once say to one person: how many, the worst five, and how to see the rest.

    ``ahead``: what comes next for each, by its id, for machines.
    """
    ranked = sorted(violations, key=lambda v: (v.severity != "breach", -v.opened_at, v.violation_id))
    breaches = sum(violation.severity == "breach" for violation in ranked)
    lines = [f"{len(ranked)} violations wait for you, {breaches} of them breaches. The worst and latest:", ""]
    for violation in ranked[:_LISTED]:
        named = violation.summary.startswith((f"{violation.system}:", f"{violation.system} "))
        text = violation.summary if named else f"{violation.system}: {violation.summary}"
        lines += [text, f"  since {since_text(violation.opened_at, now)}"]
        lines += [f"  {taking(violation.violation_id, recipient)}"]
    if len(ranked) > _LISTED:
        lines += ["", f"and {len(ranked) - _LISTED} more. To see all of them:", "  seamwatch violations --open"]
    if board is not None:
        lines += ["", f"To look at them, and take them on: {board}/?whose=mine"]
    next_of = ahead or {}
    incidents = tuple(incident_of(each, board, next_of.get(each.violation_id), news) for each in ranked)
    severity = "breach" if breaches else "warning"
    title = f"{len(ranked)} violations, {breaches} breaches: {systems_text(ranked)}"
    return page_saying(title, lines, severity, incidents, news)


def systems_text(violations: Sequence[Violation]) -> str:
    """The systems of violations, the first three by name: ``credit, fraud, limits and 4 more``."""
    names = list(dict.fromkeys(violation.system for violation in violations))
    more = f" and {len(names) - _SYSTEMS} more" if len(names) > _SYSTEMS else ""
    return ", ".join(names[:_SYSTEMS]) + more


def taking(reference: str, recipient: Recipient) -> str:
    """The command by which a recipient takes a violation on, or confirms what they were sent."""
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
