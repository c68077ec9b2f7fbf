"""Summaries: which periods are summed up, also those in which nothing was seen, and whose receipt of them is on record.

What a summary says is the clause's. A receipt is an `acknowledgement` of a summary by whom it was sent to; one of a
later summary is one of those before it. What nobody confirms in time is a breach that the next person must act on.
Pure: values in, values and findings out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from seamwatch.durations import DAY, SECOND, Duration, format_duration
from seamwatch.judging.model.facts import ForwardedEvent
from seamwatch.judging.model.identity import identity
from seamwatch.judging.model.judgement import Answered, Finding, Open, Remind, Resolve
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.answered import answered, fault_of, unknown_text
from seamwatch.judging.patterns.windows import earliest
from seamwatch.judging.patterns.wording import moment_text
from seamwatch.values import value

SUMMARISED = "\x00summary"
"""The part of a clause that counts for its summaries."""
MOST_SILENT = 1_000
MOST_WAITING = 100


class Summary(BaseModel):
    """A scheduled summary, and who is sent it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    every: Duration = Field(description="how often, aligned to the UTC epoch")
    to: str = Field(description="the person it is sent to")
    receipt_within: Duration = Field(2 * DAY, description="how long that person has to confirm the receipt")


class Given(NamedTuple):
    """A receipt that came before its summary was made."""

    reference: str
    person: str
    answer: str
    at: int
    event_id: str


@value()
class Receipts:
    """Which period is due, and which summaries wait for a receipt, by their start and when that is due.

    ``due`` is the start of the period that is summed up next, None before the first event; ``silent`` counts the
    periods in a row in which nothing was seen. ``overdue`` names the breach that is open. ``received`` are the receipts
    whose time has not come, by that and the start of what they confirm.
    """

    due: int | None = None
    silent: int = 0
    waiting: tuple[tuple[int, int], ...] = ()
    overdue: str | None = None
    early: tuple[Given, ...] = ()
    received: tuple[tuple[int, int], ...] = ()


def _silent(receipts: Receipts, every: int, until: int) -> tuple[Receipts, list[tuple[int, int]]]:
    # The periods before `until` in which nothing was seen; after 1,000 of them no further one before the next event.
    periods: list[tuple[int, int]] = []
    while receipts.due is not None:
        start = -(-receipts.due // every) * every
        if start + every > until:
            break
        periods.append((start, start + every))
        silent = receipts.silent + 1
        receipts = replace(receipts, due=start + every if silent < MOST_SILENT else None, silent=silent)
    return receipts, periods


class Confirming(NamedTuple):
    """Who confirms what: a clause's summaries, as it binds a system."""

    seam: Seam
    clause: str
    summary: Summary
    severity: Literal["warning", "breach"]

    def turn(
        self, receipts: Receipts, made: Sequence[tuple[int, Remind]], until: int, watermark: int
    ) -> tuple[Receipts, tuple[Finding, ...], int]:
        """What is due by the watermark: summaries, of silence too, and what was not confirmed in time.

        ``made`` are the summaries of periods that have just become complete, by their start, in order; before ``until``
        nothing else is on its way. Also the end of the last period that was summed up.
        """
        summaries: list[Remind] = []
        for start, reminder in made:
            receipts = self._silences(receipts, start, summaries)
            summaries.append(reminder)
            receipts = replace(receipts, due=max(receipts.due or reminder.due_at, reminder.due_at), silent=0)
        receipts = self._silences(receipts, until, summaries)
        receipts, confirmed = self._sent(receipts, summaries)
        receipts, overdue = self.run_out(receipts, watermark)
        return receipts, (*summaries, *confirmed, *overdue), summaries[-1].due_at if summaries else -(2**62)

    def _silences(self, receipts: Receipts, until: int, summaries: list[Remind]) -> Receipts:
        receipts, periods = _silent(receipts, self.summary.every, until)
        for number, (start, end) in enumerate(periods, 1):
            last = receipts.due is None and number == len(periods)
            more = "; the next summary comes with the next event" if last else ""
            text = (
                f"{self.seam.system}: {self.clause!r}: nothing was seen from {moment_text(start)} to "
                f"{moment_text(end)}{more}"
            )
            summaries.append(Remind("summary", str(start), self.summary.to, text, end))
        return receipts

    def _sent(self, receipts: Receipts, reminders: Sequence[Remind]) -> tuple[Receipts, list[Finding]]:
        """The summaries that were made wait for their receipts; some of those may have come before."""
        within = self.summary.receipt_within
        more = tuple((int(reminder.key), reminder.due_at + within) for reminder in reminders)
        receipts = replace(receipts, waiting=(*receipts.waiting, *more)[-MOST_WAITING:])
        made = {self._id(start): start for start, _ in more} if receipts.early else {}
        came = sorted((given for given in receipts.early if given.reference in made), key=lambda given: given.at)
        receipts = replace(receipts, early=tuple(given for given in receipts.early if given not in came))
        findings: list[Finding] = []
        for given in came:
            receipts, received = self._received(receipts, made[given.reference], given)
            findings.append(received)
        return receipts, findings

    def answer(self, receipts: Receipts, event: ForwardedEvent) -> tuple[Receipts, tuple[Finding, ...]]:
        """What a receipt comes to."""
        record, to = event.record, self.summary.to
        if record["person"] != to:
            return receipts, (answered(record, "not_asked", f"{to} is sent the summaries, not {record['person']}"),)
        fault = fault_of(record, self.seam.keys.get(to, ()))
        if fault is not None:
            return receipts, (answered(record, *fault),)
        given = Given(record["reference"], to, record["answer"], int(record["event_time"]), record["event_id"])
        start = next((start for start, _ in receipts.waiting if self._id(start) == given.reference), None)
        if start is None:
            early = (*receipts.early, given)[-MOST_WAITING:]
            return replace(receipts, early=early), (answered(record, "unknown", unknown_text(record)),)
        receipts, received = self._received(receipts, start, given)
        return receipts, (received,)

    def run_out(self, receipts: Receipts, until: int) -> tuple[Receipts, tuple[Finding, ...]]:
        """The receipts that came, and those that are overdue, by event time ``until``: one breach, however many."""
        findings: list[Finding] = []
        for at, start in sorted(received for received in receipts.received if received[0] <= until):
            receipts, opened = self._overdue(receipts, at - 1)
            findings += opened
            left = tuple(entry for entry in receipts.waiting if entry[0] > start)
            receipts = replace(
                receipts, waiting=left, received=tuple(other for other in receipts.received if other != (at, start))
            )
            if receipts.overdue is not None and all(due >= at for _, due in left):
                text = f"{self.seam.system}: {self.summary.to} has confirmed the summaries of {self.clause!r}"
                findings.append(Resolve(self.severity, receipts.overdue, at, slice="summary", summary=text))
                receipts = replace(receipts, overdue=None)
        receipts, opened = self._overdue(receipts, until)
        return receipts, (*findings, *opened)

    def _overdue(self, receipts: Receipts, until: int) -> tuple[Receipts, list[Finding]]:
        due = [(due, start) for start, due in receipts.waiting if due <= until]
        if receipts.overdue is not None or not due:
            return receipts, []
        at, start = min(due)
        to, within = self.summary.to, self.summary.receipt_within
        text = (
            f"{self.seam.system}: {to} has not confirmed the summary of {self.clause!r} from {moment_text(start)} on "
            f"within {format_duration(within)}"
        )
        key = f"receipt/{start}"
        opened = Open(
            self.severity, key, at, text, slice="summary", since=at - within, observed=within / SECOND,
            limit=within / SECOND, unit="s", said_by=to,
        )  # fmt: skip
        return replace(receipts, overdue=key), [opened]

    def deadline(self, receipts: Receipts) -> int | None:
        """When to be asked again: a period ends, or a receipt is overdue."""
        period = None if receipts.due is None else -(-receipts.due // self.summary.every) * self.summary.every
        overdue = () if receipts.overdue is not None else tuple(due for _, due in receipts.waiting)
        end = None if period is None else period + self.summary.every
        return earliest(end, *overdue, *(at for at, _ in receipts.received))

    def _received(self, receipts: Receipts, start: int, given: Given) -> tuple[Receipts, Answered]:
        received = (*receipts.received, (given.at, start))[-MOST_WAITING:]
        answer = Answered(
            given.event_id, "summary", given.reference, given.person, given.answer, given.at,
            counted=True, reason="counts", summary=f"{given.person} confirms the summary of {self.clause!r}",
        )  # fmt: skip
        return replace(receipts, received=received), answer

    def _id(self, start: int) -> str:
        return identity(self.seam.contract, self.clause, self.seam.system, "summary", None, str(start))
