"""Which reviews and actions are owed after what was broken, by whom and until when, and which are done.

By the contracts as they are published, and by the words that the judge says count. An episode asks for a review by
each clause of kind `follow_up` that was in force when it was over.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, Literal

from seamwatch.clauses.follow_up import FollowUp
from seamwatch.clauses.follow_up.statement import Statement, read_statement
from seamwatch.durations import format_duration
from seamwatch.judging.patterns.wording import moment_text
from sinks.store.questions.agreed import COUNTED, Agreed, agreed_in
from sinks.store.questions.rows import Micros, Where, columns, rows

if TYPE_CHECKING:
    from sinks.store.client import Store


@dataclass(frozen=True, slots=True)
class Owed:
    """What one person owes, or owed; ``reference`` is the violation, for an action with its id behind a stroke."""

    what: Literal["review", "action"]
    reference: str
    contract: str
    clause: str
    system: str
    person: str
    text: str
    since: Micros
    due_at: Micros
    done_at: Micros | None
    done_by: str | None

    @property
    def violation_id(self) -> str:
        """The violation that it follows up on."""
        return self.reference.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Given:
    """A review on record that counts; ``stated`` is what it says."""

    event_id: str
    contract: str
    clause: str
    person: str
    at: Micros
    stated: Statement


@dataclass(frozen=True, slots=True)
class _Ended:
    violation_id: str
    contract: str
    clause: str
    kind: str
    severity: str
    system: str
    summary: str
    resolved_at: Micros


@dataclass(frozen=True, slots=True)
class _Word:
    event_id: str
    event_time: Micros
    system: str
    subject: str
    kind: str
    person: str
    statement: str | None


_ENDED: Final = f"SELECT {columns(_Ended)} FROM violations"
_WORDS: Final = f"""
SELECT {columns(_Word)} FROM attestations WHERE kind IN ('follow_up', 'action')
AND {COUNTED}
"""
_GIVEN: Final = f"""
{_WORDS} AND kind = 'follow_up' AND endsWith(subject, {{violation:String}}) ORDER BY event_time
"""


def followups(
    store: Store,
    *,
    system: str | None = None,
    person: str | None = None,
    violation: str | None = None,
    done: bool = False,
) -> list[Owed]:
    """What is owed, that which is due first before the rest; with ``done`` also what is done."""
    agreed = agreed_in(store, "follow_up")
    about = Where()
    if violation is not None:
        about.add("position(subject, {violation:String}) > 0", violation=violation)
    words_of = f"{_WORDS} {' '.join(f'AND {condition}' for condition in about.conditions)} ORDER BY event_time"
    words = {word.subject: word for word in reversed(rows(store, _Word, words_of, about.values))}
    found = [*_reviews(agreed, _ended(store, agreed, system, violation), words), *_actions(agreed, words)]
    wanted = [
        one
        for one in found
        if (system is None or one.system == system)
        and (person is None or one.person == person)
        and (done or one.done_at is None)
    ]
    return sorted(wanted, key=lambda one: (one.done_at is not None, one.due_at, one.reference))


def given(store: Store, violation_id: str) -> list[Given]:
    """The reviews of a violation that count, the first before the others."""
    found = []
    for word in rows(store, _Word, _GIVEN, {"violation": f"/{violation_id}"}):
        contract, _, clause = word.subject.removesuffix(f"/{violation_id}").partition("#")
        stated = read_statement(word.statement)
        found.append(Given(word.event_id, contract, clause, word.person, word.event_time, stated))
    return found


def standing(one: Owed, now: Micros) -> str:
    """How it stands with what is owed."""
    if one.done_at is not None:
        late = f", {format_duration(one.done_at - one.due_at)} late" if one.done_at > one.due_at else ""
        return f"done by {one.done_by} at {moment_text(one.done_at)}{late}"
    if one.due_at <= now:
        return f"overdue for {format_duration(now - one.due_at)}"
    return f"due in {format_duration(one.due_at - now)}"


def _ended(store: Store, agreed: Sequence[Agreed], system: str | None, violation: str | None) -> list[_Ended]:
    where = Where()
    where.equal(system=system, violation_id=violation)
    where.add("state = 'resolved' AND kind != 'follow_up'")
    where.add("contract IN {contracts:Array(String)}", contracts=sorted({one.contract for one in agreed}))
    return rows(store, _Ended, f"{_ENDED} {where}", where.values) if agreed else []


def _reviews(agreed: Sequence[Agreed], ended: Sequence[_Ended], words: Mapping[str, _Word]) -> Iterator[Owed]:
    clauses = [(one, FollowUp.model_validate(json.loads(one.agreed))) for one in agreed]
    for episode in ended:
        for one, clause in clauses:
            in_force = one.valid_from <= episode.resolved_at < one.valid_to
            if one.contract != episode.contract or not in_force or not clause.follows(asdict(episode)):
                continue
            word = words.get(f"{one.contract}#{one.clause}/{episode.violation_id}")
            yield Owed(
                "review", episode.violation_id, one.contract, one.clause, episode.system, clause.by, episode.summary,
                episode.resolved_at, episode.resolved_at + clause.within, *_done(word),
            )  # fmt: skip


def _actions(agreed: Sequence[Agreed], words: Mapping[str, _Word]) -> Iterator[Owed]:
    for name in sorted({(one.contract, one.clause) for one in agreed}):
        own = f"{name[0]}#{name[1]}/"
        for word in words.values():
            if word.kind != "follow_up" or not word.subject.startswith(own):
                continue
            reviewed = word.subject.removeprefix(own)
            for action in read_statement(word.statement).actions:
                closed = words.get(f"{word.subject}/{action.id}")
                yield Owed(
                    "action", f"{reviewed}/{action.id}", *name, word.system, action.person, action.what,
                    word.event_time, action.due_at, *_done(closed),
                )  # fmt: skip


def _done(word: _Word | None) -> tuple[Micros | None, str | None]:
    return (None, None) if word is None else (word.event_time, word.person)
