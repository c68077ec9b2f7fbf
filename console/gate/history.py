"""What the store says against a deployment: that it is suspended, open breaches, an overdue review, other keys.

Keys are others where they are not those that were published.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pydantic import ValidationError

from console.asking import auditor
from console.gate.agreed import Case
from console.gate.findings import Deployed, Finding
from console.gate.keys import other_keys
from seamwatch.documents.approving import public_key
from seamwatch.documents.defaults import RUNBOOKS, SCHEDULE
from seamwatch.documents.models import Person, System
from seamwatch.documents.models import Review as Agreed
from seamwatch.documents.signing_verdicts import persons_of
from seamwatch.durations import format_duration
from seamwatch.errors import StoreError, UnreachableError
from seamwatch.judging.model.facts import Violation
from seamwatch.judging.patterns.rounds import has_text, last_whole, missing
from seamwatch.judging.patterns.wording import moment_text
from seamwatch.remedies import resume_command, review_command
from seamwatch.signatures import attestation_counts
from sinks.store.questions.episodes import Wanted, episodes
from sinks.store.questions.published import Published, published
from sinks.store.questions.reviews import Review, reviews
from sinks.store.questions.suspended import SuspendedNow, sentence, suspended_now


@dataclass(frozen=True, slots=True)
class History:
    """What the store knows of a system: what is suspended, episodes that are not resolved, attested reviews, keys."""

    episodes: Sequence[Violation] = ()
    reviews: Sequence[Review] = ()
    persons: Mapping[str, Person] = field(default_factory=dict)
    suspended: Sequence[SuspendedNow] = ()


def ask(system: str, now: int, data: Path | None) -> History:
    """The history of a system. Raises UnreachableError or StoreError where the store does not tell."""
    with auditor(data) as store:
        unresolved = episodes(store, Wanted(system, unresolved=True, drills=False))
        return History(
            sorted(unresolved, key=lambda episode: episode.opened_at),
            reviews(store, system),
            {person.id: person for person in map(_person, published(store, "Person"))},
            suspended_now(store, now, system),
        )


def _person(document: Published) -> Person:
    try:
        return Person.model_validate_json(document.document)
    except ValidationError as error:
        raise StoreError(f"a published person cannot be read: {error.errors(include_url=False)[0]['msg']}") from None


def happened(
    case: Case, deployed: Sequence[Deployed], *, data: Path | None, offline: bool, despite: Sequence[str]
) -> Iterator[Finding]:
    """All that the store says against it; a store that does not answer refuses, unless ``offline``."""
    history = History()
    if offline:
        reason = "the store was not asked: suspensions, open breaches and attested reviews are not known"
        yield case.finding("store", reason, "run the gate without --offline before production", level="warning")
    else:
        try:
            history = ask(case.id, case.now, data)
        except (UnreachableError, StoreError) as error:
            remedy = "name the store (--data, SEAMWATCH_DATA or CLICKHOUSE_URL), or say --offline"
            yield case.finding("store", f"open breaches are not known: {error}", remedy)
    yield from suspended(case, history, deployed)
    yield from breaches(case, history, despite)
    yield from review(case, history)
    yield from other_keys(case, history.persons)


def suspended(case: Case, history: History, deployed: Sequence[Deployed]) -> Iterator[Finding]:
    """What is suspended: the system, or a version to be deployed, refuses; a tool, or another version, warns."""
    versions = {each.version for each in deployed}
    for row in history.suspended:
        refuses = row.tool is None and (row.version is None or None in versions or row.version in versions)
        remedy = f"resume it first, on evidence: `{resume_command(row.system, row.version, row.tool)}`"
        yield case.finding("suspended", sentence(row), remedy, level="error" if refuses else "warning")


def breaches(case: Case, history: History, despite: Sequence[str]) -> Iterator[Finding]:
    """Each episode that is open; a warning where it is one, or where ``despite`` names its id."""
    for episode in history.episodes:
        name = episode.violation_id
        file, line = _clause(case, episode.contract, episode.clause)
        reason = f"{episode.severity} {name} is {episode.state}: {episode.summary}"
        if name in despite:
            yield Finding("open-breach", "warning", reason, "let through by --despite: see that it ends", file, line)
        elif episode.severity == "breach":
            remedy = f"end it first; if this deployment is what ends it, say --despite {name}"
            yield Finding("open-breach", "error", reason, remedy, file, line)
        else:
            yield Finding("open-breach", "warning", reason, "end it before it becomes a breach", file, line)


def review(case: Case, history: History) -> Iterator[Finding]:
    """The scheduled reviews whose newest is older than agreed; without any, the first approval begins the clock."""
    system = case.system
    if system is None:
        return
    # That the system's is absent is a gap of the hand-over.
    for agreed, point in ((system.review, "review"), (system.runbook_review, "runbook")):
        if agreed is not None:
            yield from _reviewed(case, system, agreed, point, history)


def _reviewed(case: Case, system: System, agreed: Agreed, point: str, history: History) -> Iterator[Finding]:
    counting = [made for made in history.reviews if made.event_time <= case.now and _counts(case, agreed, point, made)]
    entered = agreed.last if agreed.last is not None and agreed.last <= case.now else None
    given, done = last_whole([(made.person, made.event_time) for made in counting], agreed.by, entered)
    approved = [a.approved_at for v in system.versions for a in v.approvals if a.approved_at is not None]
    asked = missing(given, agreed.by)[0]
    reviewer = persons_of(case.reads).get(asked)
    about = None if point == "review" else point
    command = review_command(case.id, asked, about, signs=reviewer is not None and bool(reviewer.keys))
    key = "review" if point == "review" else "runbook_review"
    remedy = f"review it, and attest that with `{command}`, or enter it as '{key}.last'"
    what = case.id if point == "review" else f"the runbook of {case.id}"
    every = f"agreed every {format_duration(agreed.every)}{has_text(given)}"
    if done is None and not approved:
        yield case.finding("review-overdue", f"{what} was never reviewed; {every}", remedy, (key,), "warning")
        return
    begun = min(approved) if done is None else done
    if begun + agreed.every < case.now:
        since = "never reviewed, and first approved" if done is None else "last reviewed"
        yield case.finding("review-overdue", f"{what} was {since} at {moment_text(begun)}; {every}", remedy, (key,))


def _counts(case: Case, agreed: Agreed, point: str, made: Review) -> bool:
    of = "system" if point == "review" else point
    subjects = {point, f"{SCHEDULE}#review" if point == "review" else f"{RUNBOOKS}#{point}"} | {
        f"{read.id}#{clause.get('id')}"
        for read in case.covering
        for clause in read.written.content.get("clauses") or ()
        if isinstance(clause, Mapping) and clause.get("kind") == "review" and clause.get("of", "system") == of
    }
    if made.person not in agreed.by or made.subject not in subjects:
        return False
    person = persons_of(case.reads).get(made.person)
    return attestation_counts(asdict(made), [public_key(key) for key in person.keys] if person is not None else [])


def _clause(case: Case, contract: str, clause: str) -> tuple[str, int]:
    for read in case.covering:
        clauses = read.written.content.get("clauses")
        if read.id == contract and isinstance(clauses, list):
            for number, written in enumerate(clauses):
                if isinstance(written, Mapping) and written.get("id") == clause:
                    return read.written.file, read.written.line(("clauses", number))
    return case.read.written.file, case.read.written.line(("id",))
