"""What is owed about a system, by whom and until when, and what of it is overdue.

Violations that nobody took on, answers to changes, receipts of summaries, reports of incidents, reviews and actions
after what was broken, scheduled reviews, and what a reminder asked to be attested. Each part is asked by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from seamwatch.durations import DAY
from seamwatch.judging.model.facts import DRILL
from seamwatch.judging.patterns.wording import quoted
from seamwatch.remedies import ATTESTED
from seamwatch.summed import Owes
from sinks.store.questions.acknowledgements import Asked, awaited
from sinks.store.questions.agreed import COUNTED
from sinks.store.questions.due import Due, due
from sinks.store.questions.followups import followups
from sinks.store.questions.incidents import incidents
from sinks.store.questions.inventory import inventory
from sinks.store.questions.reviews import reviews
from sinks.store.questions.rows import Micros, Where, columns, rows

if TYPE_CHECKING:
    from seamwatch.documents import Estate
    from sinks.store.client import Store

_OWN_ENTRY: Final = ("review", "follow_up", "incident")
"""The clause kinds whose violations say that something is overdue which is listed by itself."""
_DRILL: Final = "drill"
_LONGEST: Final = 90
_SOONEST: Final = 10
"""A scheduled review is told within this share of its period before it is due, and within a week."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Of what, by which documents, and when."""

    store: Store
    estate: Estate
    system: str
    now: Micros


@dataclass(frozen=True, slots=True)
class _Untaken:
    violation_id: str
    clause: str
    severity: str
    person: str | None
    summary: str
    opened_at: Micros


@dataclass(frozen=True, slots=True)
class _Reminded:
    notice_id: str
    kind: str
    clause: str
    person: str
    summary: str
    due_at: Micros


_UNTAKEN: Final = f"SELECT {columns(_Untaken)} FROM violations"
_REMINDED: Final = f"""
SELECT {columns(_Reminded)}
FROM
(
    SELECT
        notice_id, CAST(kind, 'String') AS kind, CAST(clause, 'String') AS clause, person, summary, due_at, detected_at
    FROM notice
    WHERE type = 'reminder' AND system = {{system:String}} AND has({{kinds:Array(String)}}, kind)
        AND due_at > fromUnixTimestamp64Micro({{now:Int64}}, 'UTC')
    ORDER BY due_at DESC
    LIMIT 1 BY notice_id
) AS reminders
LEFT JOIN
(
    SELECT CAST(kind, 'String') AS kind, max(event_time) AS last
    FROM attestations
    WHERE system = {{system:String}} AND {COUNTED}
    GROUP BY kind
) AS given ON reminders.kind = given.kind
WHERE reminders.detected_at > given.last
ORDER BY due_at, notice_id
"""


def untaken(asking: Asking) -> Iterator[Owes]:
    """Who must take on what is open, and nobody has."""
    where = Where()
    where.equal(system=asking.system)
    where.add("state IN ('open', 'escalated') AND severity != {drill:String}", drill=DRILL)
    where.add("NOT has({kinds:Array(String)}, kind)", kinds=list(_OWN_ENTRY))
    for one in rows(asking.store, _Untaken, f"{_UNTAKEN} {where} ORDER BY opened_at, violation_id", where.values):
        text = f"take on the {one.severity} of {one.clause!r}: {_short(one.summary, asking.system)}"
        yield Owes("episode", one.person or "nobody named", text, one.opened_at, None, one.violation_id)


def unanswered(asking: Asking) -> Iterator[Owes]:
    """Who is asked about a change, or to confirm summaries, and has not said anything that counts.

    The summaries of one person are one entry, since a receipt of a later one is one of those before it.
    """
    summaries: defaultdict[str, list[Asked]] = defaultdict(list)
    for one in awaited(asking.store, asking.system):
        if one.of == "summary":
            summaries[one.person].append(one)
            continue
        text = f"answer the change {one.reference}"
        yield Owes("answer", one.person, text, one.asked_at, one.due_at, one.reference)
    for person, some in summaries.items():
        text = f"confirm that {len(some)} summaries were read" if len(some) > 1 else "confirm that a summary was read"
        first = min((one.due_at for one in some if one.due_at is not None), default=None)
        yield Owes("receipt", person, text, min(one.asked_at for one in some), first, some[0].reference)


def reports(asking: Asking) -> Iterator[Owes]:
    """Who owes the report of a serious incident."""
    for one in incidents(asking.store, system=asking.system):
        text = f"{one.owes} of an incident ({one.kind})"
        yield Owes("report", one.person, text, one.aware_at, one.due_at, one.violation_id)


def after(asking: Asking) -> Iterator[Owes]:
    """Who owes a review after what was broken, or an action that one lists."""
    for one in followups(asking.store, system=asking.system):
        yield Owes(
            one.what, one.person, f"{one.what}: {_short(one.text, asking.system)}", one.since, one.due_at, one.reference
        )


def scheduled(asking: Asking) -> Iterator[Owes]:
    """Who owes a scheduled review by now, or soon."""
    attested = reviews(asking.store, asking.system)
    found = due(asking.estate, attested, {}, asking.now, system=asking.system)
    if any(one.due_at is None for one in found):
        # Never reviewed: the clock began with the first event, for which all that was seen is read.
        seen = {one.system: one.first_seen for one in inventory(asking.store, asking.system)}
        found = due(asking.estate, attested, seen, asking.now, system=asking.system)
    for one in found:
        if one.due_at is not None and one.due_at <= asking.now + _soon(one):
            who = ", ".join(one.by) or "nobody named"
            yield Owes("scheduled", who, f"scheduled review of the {one.of}", one.last, one.due_at)


def attestations(asking: Asking) -> Iterator[Owes]:
    """Who was reminded of what they are to attest, and nothing of the kind counts since; what is late is an episode."""
    kinds = [kind for kind in (*ATTESTED, _DRILL) if kind not in _OWN_ENTRY]
    given = {"system": asking.system, "kinds": kinds, "now": str(asking.now)}
    for one in rows(asking.store, _Reminded, _REMINDED, given):
        text = f"{one.kind} of {one.clause!r}: {_short(one.summary, asking.system)}"
        yield Owes("attestation", one.person, text, None, one.due_at, one.notice_id)


PARTS: Final[tuple[tuple[str, Callable[[Asking], Iterator[Owes]]], ...]] = (
    ("violations that nobody took on", untaken),
    ("reports of incidents", reports),
    ("reviews and actions after what was broken", after),
    ("scheduled reviews", scheduled),
    ("what is to be attested", attestations),
    ("answers and receipts", unanswered),
)
"""What is asked, each by its name; what reads the most comes last."""


def owing(asking: Asking) -> list[Owes]:
    """All that is owed, in no order. Raises StoreError or UnreachableError."""
    return [one for _, part in PARTS for one in part(asking)]


def _short(text: str, system: str) -> str:
    """A sentence without the system that all is about, and no longer than a line."""
    said = " ".join(text.split()).removeprefix(f"{system}: ")
    return quoted(said if len(said) <= _LONGEST else f"{said[: _LONGEST - 1]}…")


def _soon(one: Due) -> int:
    return min(one.every // _SOONEST, 7 * DAY)
