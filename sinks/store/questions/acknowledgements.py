"""Who was asked about which change, violation or summary, what they answered, and which answers do not count."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from seamwatch.durations import format_duration
from seamwatch.judging.patterns.wording import moment_text
from sinks.store.questions.rows import Micros, Where, columns, rows

if TYPE_CHECKING:
    from sinks.store.client import Store


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to one person, and what came of it; ``waiting`` is 1 or 0."""

    of: str
    reference: str
    system: str
    person: str
    asked_at: Micros
    answered_at: Micros | None
    answer: str | None
    latency_seconds: float | None
    waiting: int
    state: str | None
    taken_by: str | None
    refused: int
    """How many of their answers do not count."""
    refused_because: str | None
    unjudged: int
    before_verdicts: int
    due_at: Micros | None


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; ``counted`` None where no judge has said so far, ``signed`` 1 or 0."""

    event_id: str
    answered_at: Micros
    system: str
    of: str
    reference: str
    person: str
    answer: str
    note: str | None
    key_id: str | None
    signed: int
    counted: bool | None
    reason: str | None
    why: str | None
    judged_at: Micros | None
    summary: str | None
    asked_since: Micros | None
    change_digest: str | None
    relayed_by: str | None
    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class WithoutEffect:
    """How many answers do not count, and how many were not judged so far."""

    refused: int
    unjudged: int


_LATEST_ASKED: Final = "ORDER BY asked_at DESC, reference, person"
_LATEST_ANSWERED: Final = "ORDER BY answered_at DESC, event_id"
_REFUSED: Final = "NOT ifNull(counted, false)"
_HOW_MANY: Final = """
SELECT countIf(NOT counted) AS refused, countIf(counted IS NULL AND reason IS NULL) AS unjudged FROM acknowledgements
"""


def asked(store: Store, *, system: str | None = None, person: str | None = None, waiting: bool = False) -> list[Asked]:
    """Every question, the latest first; of one system or person, or only what waits for an answer."""
    where = _of(system, person)
    if waiting:
        where.add("waiting")
    sql = f"SELECT {columns(Asked)} FROM acknowledgement_latency {where} {_LATEST_ASKED}"
    return rows(store, Asked, sql, where.values)


def awaited(store: Store, system: str) -> list[Asked]:
    """Which answers to changes, and which receipts of summaries, are waited for about a system, the latest first."""
    where = _of(system, None)
    where.add("waiting")
    # Not the violations: the store need not look at who was paged about which.
    where.add("of IN ('change', 'summary')")
    sql = f"SELECT {columns(Asked)} FROM acknowledgement_latency {where} {_LATEST_ASKED}"
    return rows(store, Asked, sql, where.values)


def asked_of(store: Store, of: str, references: Collection[str] | None = None) -> list[Asked]:
    """Every question about changes, violations or summaries (``of``), the latest first; or about some of them."""
    where = _about(of, references)
    sql = f"SELECT {columns(Asked)} FROM acknowledgement_latency {where} {_LATEST_ASKED}"
    return rows(store, Asked, sql, where.values)


def answers_to(store: Store, of: str, references: Collection[str] | None = None) -> list[Answer]:
    """Every answer to those, the latest first, whether it counts or not."""
    where = _about(of, references)
    return rows(
        store, Answer, f"SELECT {columns(Answer)} FROM acknowledgements {where} {_LATEST_ANSWERED}", where.values
    )


def refused(store: Store, *, system: str | None = None, person: str | None = None) -> list[Answer]:
    """The answers that do not count, or of which that is not known, the latest first."""
    where = _of(system, person)
    where.add(_REFUSED)
    return rows(
        store, Answer, f"SELECT {columns(Answer)} FROM acknowledgements {where} {_LATEST_ANSWERED}", where.values
    )


def without_effect(store: Store, *, system: str | None = None, person: str | None = None) -> WithoutEffect:
    """How many answers have no effect."""
    where = _of(system, person)
    (found,) = rows(store, WithoutEffect, f"{_HOW_MANY} {where}", where.values)
    return found


def standing(one: Asked, now: Micros) -> str:
    """What came of a question to one person."""
    if one.answered_at is not None:
        return f"{one.answer} after {format_duration(max(0, int((one.latency_seconds or 0) * 1_000_000)))}"
    text = f"; an answer does not count: {one.refused_because}" if one.refused else ""
    text += "; an answer is not judged yet" if one.unjudged else ""
    if one.waiting:
        return f"waits {format_duration(max(0, now - one.asked_at))}{text}"
    if one.before_verdicts:
        return f"an answer from before it was kept which of them count{text}"
    if one.taken_by:
        return f"none, {one.taken_by} took it on{text}"
    return f"none, it {'was withdrawn' if one.state == 'withdrawn' else 'is over'}{text}"


def until(one: Asked, now: Micros) -> str:
    """Until when somebody may take, in words; nothing where that is not agreed for each question, as of a page."""
    if one.due_at is None:
        return "-"
    due = moment_text(one.due_at)
    return f"{due}, overdue for {format_duration(now - one.due_at)}" if one.due_at <= now else due


def why_uncounted(answer: Answer) -> str:
    """Why an answer does not count."""
    if answer.counted is not None:
        return str(answer.why)
    if answer.reason == "before_verdicts":
        return "not known: it was given before this was kept"
    return "not known: no judge has said anything of it so far"


def _about(of: str, references: Collection[str] | None) -> Where:
    where = Where()
    where.equal(of=of)
    if references is not None:
        where.add("reference IN {references:Array(String)}", references=list(references))
    return where


def _of(system: str | None, person: str | None) -> Where:
    where = Where()
    where.equal(system=system, person=person)
    return where
