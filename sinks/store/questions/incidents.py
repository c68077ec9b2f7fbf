"""Which episodes were declared serious incidents, what is owed of each by whom until when, and what was said of it.

By the contracts as they are published, and by the words that the judge says count; what these come to is asked of the
clause that judges them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, Literal

from seamwatch.clauses.incident import Incident as Clause
from seamwatch.clauses.incident.standing import Round, standing_of
from seamwatch.clauses.incident.state import Word
from seamwatch.clauses.incident.statement import Declaration, Report, Withdrawal, read_declaration, read_report
from seamwatch.durations import format_duration
from seamwatch.judging.patterns.wording import moment_text
from sinks.store.questions.agreed import COUNTED, Agreed, agreed_in
from sinks.store.questions.rows import Micros, Where, columns, rows

if TYPE_CHECKING:
    from sinks.store.client import Store


@dataclass(frozen=True, slots=True)
class Incident:
    """One declaration with its revisions; ``owes`` is what ``person`` owes until ``due_at``, None where nothing is.

    ``over_at`` is when the complete report was sent or the declaration withdrawn, by ``over_by``; ``episode`` is the
    sentence of the violation, None where no violation of this id is on record.
    """

    violation_id: str
    contract: str
    clause: str
    system: str
    kind: str
    declared_by: str
    declared_at: Micros
    aware_at: Micros
    standing: Literal["open", "initial", "reported", "withdrawn"]
    owes: str | None
    person: str
    due_at: Micros | None
    over_at: Micros | None
    over_by: str | None
    episode: str | None


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody said of a violation, which counts: a declaration, a withdrawal, a draft or a report."""

    event_id: str
    contract: str
    clause: str
    person: str
    at: Micros
    evidence_uri: str | None
    stated: Declaration | Withdrawal | Report


@dataclass(frozen=True, slots=True)
class _Word:
    event_id: str
    event_time: Micros
    system: str
    subject: str
    kind: str
    person: str
    evidence_uri: str | None
    statement: str | None


@dataclass(frozen=True, slots=True)
class _Episode:
    violation_id: str
    summary: str


_WORDS: Final = f"""
SELECT {columns(_Word)} FROM attestations WHERE kind IN ('incident', 'report')
AND {COUNTED}
"""
_EPISODES: Final = f"SELECT {columns(_Episode)} FROM violations WHERE violation_id IN {{violations:Array(String)}}"


def incidents(
    store: Store,
    *,
    system: str | None = None,
    person: str | None = None,
    violation: str | None = None,
    over: bool = False,
) -> list[Incident]:
    """Those of which something is owed, what is due first before the rest; with ``over`` also the others."""
    agreed: dict[tuple[str, str], list[Agreed]] = defaultdict(list)
    for one in agreed_in(store, "incident"):
        agreed[one.contract, one.clause].append(one)
    said: dict[tuple[str, str], list[_Word]] = defaultdict(list)
    for word in _words(store, system, violation):
        said[word.subject, word.system].append(word)
    found = [one for (subject, _), words in said.items() for one in _incidents(subject, words, agreed)]
    wanted = [
        one for one in found if (person is None or one.person == person) and (over or one.owes is not None)
    ]  # fmt: skip
    told = {"violations": sorted({one.violation_id for one in wanted})}
    known = {one.violation_id: one.summary for one in rows(store, _Episode, _EPISODES, told)} if wanted else {}
    named = [Incident(**{**asdict(one), "episode": known.get(one.violation_id)}) for one in wanted]
    return sorted(named, key=lambda one: (one.owes is None, one.due_at or 2**62, one.declared_at, one.violation_id))


def said_of(store: Store, violation_id: str) -> list[Said]:
    """All that was said of a violation and counts, in the order in which it was: drafts and receipts too."""
    found = []
    for word in _words(store, None, violation_id):
        contract, _, clause = word.subject.removesuffix(f"/{violation_id}").partition("#")
        read = read_declaration if word.kind == "incident" else read_report
        stated = read(word.statement)
        found.append(Said(word.event_id, contract, clause, word.person, word.event_time, word.evidence_uri, stated))
    return found


def standing(one: Incident, now: Micros) -> str:
    """How it stands with one, in words."""
    if one.standing == "withdrawn":
        return f"withdrawn by {one.over_by} at {moment_text(one.over_at or 0)}"
    if one.standing == "reported":
        return f"reported by {one.over_by} at {moment_text(one.over_at or 0)}"
    if one.due_at is None:
        return "complete report owed, whenever"
    if one.due_at <= now:
        return f"overdue for {format_duration(now - one.due_at)}"
    return f"due in {format_duration(one.due_at - now)}"


def _words(store: Store, system: str | None, violation: str | None) -> list[_Word]:
    where = Where()
    where.equal(system=system)
    if violation is not None:
        where.add("endsWith(subject, {violation:String})", violation=f"/{violation}")
    more = " ".join(f"AND {condition}" for condition in where.conditions)
    return rows(store, _Word, f"{_WORDS} {more} ORDER BY event_time, event_id", where.values)


def _incidents(
    subject: str, words: Sequence[_Word], agreed: Mapping[tuple[str, str], Sequence[Agreed]]
) -> list[Incident]:
    """The rounds of one violation under one clause; none where no version of the contract has that clause."""
    name, _, violation_id = subject.partition("/")
    contract, _, clause = name.partition("#")
    versions = agreed.get((contract, clause), ())
    if not versions:
        return []
    heard = [word for one in words if (word := _read(one, _in_force(versions, one.event_time))) is not None]
    by = _in_force(versions, words[-1].event_time).by
    return [_incident(one, (violation_id, contract, clause, words[0].system), by) for one in standing_of(heard).rounds]


def _read(word: _Word, clause: Clause) -> Word | None:
    try:
        return clause.agreed.word_of(asdict(word))
    except (KeyError, ValueError):
        # Of a kind that the version which is published now does not know any more.
        return None


def _in_force(versions: Sequence[Agreed], at: Micros) -> Clause:
    """The clause as it was agreed at a time; before the first version that has it, as that says."""
    last = next((one for one in reversed(versions) if one.valid_from <= at), versions[0])
    return Clause.model_validate(json.loads(last.agreed))


def _incident(one: Round, names: tuple[str, str, str, str], by: str) -> Incident:
    violation_id, contract, clause, system = names
    ended = one.withdrawn or one.complete
    running = next((clock for clock in reversed(one.clocks) if clock.ended is None), None)
    owes = None if ended is not None else "complete report" if one.initial is not None else "report"
    stands: Literal["open", "initial", "reported", "withdrawn"] = (
        "withdrawn"
        if one.withdrawn is not None
        else "reported"
        if one.complete is not None
        else "initial"
        if one.initial is not None
        else "open"
    )
    return Incident(
        violation_id, contract, clause, system, one.kind, one.declared.person, one.declared.at, one.report.since,
        stands, owes, by, None if running is None else running.due, None if ended is None else ended.at,
        None if ended is None else ended.person, None,
    )  # fmt: skip
