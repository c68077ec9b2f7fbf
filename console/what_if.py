"""What if: one history judged by two states of contracts, and what that changes, for people and for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from console.comparing import Comparison, Pair, compare, comparison_object
from console.history import Asked, gathered
from console.lines import Complaints, Progress
from console.tables import print_table
from seamwatch.documents import Contract, Estate, Person, RiskPolicy, Rota, System
from seamwatch.documents.estate import Term
from seamwatch.documents.files import nothing_read
from seamwatch.documents.loading import read_folder
from seamwatch.documents.problems import is_error
from seamwatch.documents.terms import policy_terms_of, terms_of
from seamwatch.documents.tiers import PolicyTerm
from seamwatch.errors import DocumentError
from seamwatch.instants import format_instant
from seamwatch.judging.model.facts import Violation
from seamwatch.judging.patterns.wording import moment_text, number_text
from streams.replay.replay import judged

SHOWN = 20


@dataclass(frozen=True, slots=True)
class State:
    """The documents of one side; of each contract the newest version."""

    contracts: tuple[Contract, ...]
    persons: Mapping[str, Person]
    systems: Mapping[str, System]
    policies: tuple[PolicyTerm, ...] = ()
    rotas: Mapping[str, Rota] = field(default_factory=dict)

    def estate(self, other: State) -> Estate:
        """What judges. What this side lacks beside its contracts, as a single file does, is the other's.

        Each contract governs all of time: the question is what it would have found.
        """
        terms = tuple(Term(contract) for contract in self.contracts)
        systems = {**other.systems, **self.systems}
        rotas = {**other.rotas, **self.rotas}
        policies = self.policies or other.policies
        return Estate({**other.persons, **self.persons}, systems, terms, policies=policies, rotas=rotas)


def read_state(place: Path) -> State:
    """The documents of a folder or file; DocumentError when one is wrong in itself (its references may lead out)."""
    reads, problems = read_folder(place)
    if wrong := [str(problem) for problem in problems if is_error(problem)]:
        raise DocumentError("\n".join(wrong))
    if not reads:
        raise DocumentError(str(nothing_read(place)))
    documents = [read.document for read in reads]
    terms = terms_of((d, None) for d in documents if isinstance(d, Contract))
    newest = {term.contract.id: term.contract for term in terms}
    return State(
        tuple(newest.values()),
        {d.id: d for d in documents if isinstance(d, Person)},
        {d.id: d for d in documents if isinstance(d, System)},
        tuple(policy_terms_of((d, None) for d in documents if isinstance(d, RiskPolicy))),
        {d.id: d for d in documents if isinstance(d, Rota)},
    )


@dataclass(frozen=True, slots=True)
class Judged:
    """A history of so many events, with its first and last event time, judged by both."""

    comparison: Comparison
    events: int
    first: int | None
    last: int | None

    def plain(self) -> dict[str, Any]:
        """For machines."""
        ends = {"from": self.first, "to": self.last}
        times = {name: None if at is None else format_instant(at) for name, at in ends.items()}
        return {"events": self.events, **times, **comparison_object(self.comparison)}

    def show(self) -> None:
        """Print it for people: how many episodes of each clause, then the first of those that change."""
        found = self.comparison
        print()
        if found.changes:
            print_table(("CONTRACT", "CLAUSE", "ONLY OLD", "ONLY NEW", "OTHERWISE", "SAME"), _counts(found), empty="")
            print()
            print_table(("", "OPENED", "CLAUSE", "WHERE", "WHAT"), _rows(found), empty="")
            print()
        span = "" if self.first is None or self.last is None else (
            f" from {moment_text(self.first)} to {moment_text(self.last)}"
        )  # fmt: skip
        print(
            f"{self.events:,} events{span}: {len(found.only_old):,} episodes only by OLD, {len(found.only_new):,} only"
            f" by NEW, {len(found.otherwise):,} by both but otherwise, {len(found.same):,} the same"
        )


def judged_by_both(old: State, new: State, asked: Asked, now: int | None, complaints: Complaints) -> Judged:
    """Judge the history that was asked for by both; ``now`` (micros) is where the clock ends."""
    estates = {"OLD": old.estate(new), "NEW": new.estate(old)}
    with gathered(asked, complaints, *estates.values()) as (history, period):
        found: dict[str, list[Violation]] = {}
        for name, estate in estates.items():
            progress = Progress(f"of {history.events} events judged by {name} so far")
            episodes = judged(estate, history, now, progress=progress.tell)
            found[name] = [replace(v, evidence=()) for v in episodes if period.tells(v)]
        return Judged(compare(found["OLD"], found["NEW"]), history.events, history.first, history.last)


def _counts(found: Comparison) -> Iterator[tuple[str, ...]]:
    columns = [
        Counter((v.contract, v.clause) for v in episodes)
        for episodes in (
            found.only_old,
            found.only_new,
            [pair.new for pair in found.otherwise],
            [pair.new for pair in found.same],
        )
    ]
    for contract, clause in sorted(set().union(*columns)):
        yield contract, clause, *(str(column[contract, clause]) for column in columns)


def _rows(found: Comparison) -> Iterator[tuple[str, ...]]:
    for sign, episodes in (("- only OLD", found.only_old), ("+ only NEW", found.only_new)):
        for v in episodes[:SHOWN]:
            yield sign, *_place(v), v.summary
        yield from _more(sign, len(episodes))
    for pair in found.otherwise[:SHOWN]:
        yield "~ otherwise", *_place(pair.old), _differences(pair)
    yield from _more("~ otherwise", len(found.otherwise))


def _more(sign: str, number: int) -> Iterator[tuple[str, ...]]:
    if number > SHOWN:
        yield sign, "", "", "", f"and {number - SHOWN:,} more: --json has them all"


def _place(v: Violation) -> tuple[str, str, str]:
    where = v.system if v.slice in (None, v.system) else f"{v.system} / {v.slice}"
    return moment_text(v.opened_at), v.clause, where


def _differences(pair: Pair) -> str:
    return ", ".join(
        f"{name.replace('_', ' ')} {_value(name, getattr(pair.old, name))} → {_value(name, getattr(pair.new, name))}"
        for name in pair.differing
    )


def _value(name: str, value: Any) -> str:
    if name.endswith("_at"):
        return "not yet" if value is None else moment_text(value)
    return value if isinstance(value, str) else number_text(value)
