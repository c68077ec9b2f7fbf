"""Drafts: what is on record of an episode, laid out as a report of a serious incident, for a person to complete.

Reading only. What the record cannot know is named, so that it is not taken for told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from seamwatch.durations import HOUR
from seamwatch.judging.patterns.wording import moment_text
from seamwatch.printable import printable

if TYPE_CHECKING:
    from seamwatch.documents import Estate
    from seamwatch.judging.model.facts import Violation
    from sinks.store.client import Store
    from sinks.store.questions.incidents import Incident

LONGEST: Final = 12_000
"""So many characters of a draft can go on record."""
_CHANGES_BEFORE: Final = 48 * HOUR
_CHANGES_SHOWN: Final = 20
_EVIDENCE_SHOWN: Final = 20
_TO_ADD: Final = (
    "the harm: to whom, of what kind, how many persons",
    "whether a causal link between the system and the harm is established, or likely, and why",
    "where the system was used, by which deployer, and in which states",
    "the authority that this is sent to, and whom it may ask",
    "the corrective measures for users and the market",
)


def drafted(store: Store, estate: Estate, violation: Violation, declared: Sequence[Incident], now: int) -> str:
    """The draft, as Markdown."""
    parts = [
        [f"# Report of a serious incident: {printable(violation.system)} (draft)", ""],
        [f"Made from the record at {moment_text(now)}. Violation {violation.violation_id}.", ""],
        _section("The incident", _incident(declared)),
        _section("The system", _system(store, estate, violation)),
        _section("What happened", _episode(violation)),
        _section("What it touched", _touched(store, estate, violation, now)),
        _section("What changed in the 48 hours before", _changes(store, violation)),
        _section("What was done", _done(store, violation, now)),
        _section("To be added: no record says", iter(_TO_ADD)),
    ]
    text = "\n".join(line for part in parts for line in part).rstrip()
    cut = "\n\n(cut: the rest is on record)"
    return text if len(text) <= LONGEST else text[: LONGEST - len(cut)] + cut


def _section(title: str, lines: Iterator[str]) -> list[str]:
    said = [f"- {printable(line)}" for line in lines] or ["- nothing is on record"]
    return [f"## {title}", "", *said, ""]


def _incident(declared: Sequence[Incident]) -> Iterator[str]:
    if not declared:
        yield "it is not declared an incident on record"
    for one in declared:
        until = "" if one.due_at is None else f"; {one.owes} due by {moment_text(one.due_at)}, by {one.person}"
        yield (
            f"declared by {one.declared_by} at {moment_text(one.declared_at)}, kind {one.kind}; aware of it since "
            f"{moment_text(one.aware_at)}; {one.standing}{until}"
        )


def _system(store: Store, estate: Estate, violation: Violation) -> Iterator[str]:
    from sinks.store.questions.changed import served

    system = estate.systems.get(violation.system)
    if system is None:
        yield f"{violation.system}, which no document declares"
    else:
        yield f"{system.id}, a system of type {system.type}, owned by {system.owner}"
    until = violation.opened_at if violation.resolved_at is None else violation.resolved_at
    for one in served(store, violation.system):
        if one.first_seen <= until and one.last_seen >= (violation.since or violation.opened_at) - _CHANGES_BEFORE:
            config = f", configuration {one.config_digest}" if one.config_digest else ""
            seen = f"seen from {moment_text(one.first_seen)} to {moment_text(one.last_seen)}"
            yield f"version {one.version or 'without a name'}{config}: {seen}, {one.events} events"


def _episode(violation: Violation) -> Iterator[str]:
    yield violation.summary
    of = f"contract {violation.contract} version {violation.contract_version}, clause {violation.clause}"
    yield f"{violation.severity} of {of} ({violation.kind})"
    if violation.since is not None:
        yield f"its cause began at {moment_text(violation.since)}"
    yield f"it was true from {moment_text(violation.opened_at)}, and found at {moment_text(violation.detected_at)}"
    over = violation.resolved_at
    yield "it goes on" if over is None else f"it was over at {moment_text(over)}"
    ids = [each.event_id for each in violation.evidence]
    if ids:
        more = f" and {len(ids) - _EVIDENCE_SHOWN} more" if len(ids) > _EVIDENCE_SHOWN else ""
        yield f"events that broke it: {', '.join(ids[:_EVIDENCE_SHOWN])}{more}"


def _touched(store: Store, estate: Estate, violation: Violation, now: int) -> Iterator[str]:
    from sinks.store.questions.touched import extent_of, touched

    fed = [each.id for each in estate.systems.values() if violation.system in each.depends_on]
    since = violation.opened_at if violation.since is None else violation.since
    until = now if violation.resolved_at is None else violation.resolved_at
    for one in touched(store, extent_of([violation.system, *fed], since, until)):
        yield (
            f"{one.system}: {one.decisions} decisions about {one.subjects} subjects, {one.calls} tool calls in that "
            "time (all that it did, not only what broke the clause)"
        )


def _changes(store: Store, violation: Violation) -> Iterator[str]:
    from sinks.store.questions.changed import changed

    began = violation.opened_at if violation.since is None else violation.since
    found = changed(store, violation.system, began - _CHANGES_BEFORE, violation.opened_at)
    for one in found[:_CHANGES_SHOWN]:
        yield f"{moment_text(one.event_time)}: {one.kind} {one.change_id}, {one.announced_by}: {one.summary}"
    if len(found) > _CHANGES_SHOWN:
        yield f"and {len(found) - _CHANGES_SHOWN} more"


def _done(store: Store, violation: Violation, now: int) -> Iterator[str]:
    from sinks.store.questions.followups import followups, given, standing

    if violation.acknowledged_at is not None:
        yield f"{violation.acknowledged_by} took it on at {moment_text(violation.acknowledged_at)}"
    for review in given(store, violation.violation_id):
        yield f"reviewed by {review.person} at {moment_text(review.at)}; cause: {review.stated.cause}"
    for one in followups(store, violation=violation.violation_id, done=True):
        if one.what == "action":
            yield f"action of {one.person}: {one.text} ({standing(one, now)})"
