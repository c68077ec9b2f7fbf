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
from seamwatch.documents.defaults import SCHEDULE
from seamwatch.documents.models import Person
from seamwatch.documents.signing_verdicts import persons_of
from seamwatch.durations import format_duration
from seamwatch.errors import StoreError, UnreachableError
from seamwatch.judging.model.facts import Violation
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
        unresolved = episodes(store, Wanted(system, unresolved=True))
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
    """The scheduled review, when its newest is older than agreed; without any, the first approval begins the clock."""
    system = case.system
    if system is None or system.review is None:
        return  # its absence is a gap of the hand-over
    agreed = system.review
    done = [agreed.last] if agreed.last is not None else []
    done += [made.event_time for made in history.reviews if _counts(case, agreed.by, made)]
    done = [at for at in done if at <= case.now]
    approved = [a.approved_at for v in system.versions for a in v.approvals if a.approved_at is not None]
    reviewer = persons_of(case.reads).get(agreed.by)
    command = review_command(case.id, agreed.by, signs=reviewer is not None and bool(reviewer.keys))
    remedy = f"review it, and attest that with `{command}`, or enter it as 'review.last'"
    if not done and not approved:
        reason = f"{case.id} was never reviewed; agreed every {format_duration(agreed.every)}"
        yield case.finding("review-overdue", reason, remedy, ("review",), "warning")
        return
    begun = max(done) if done else min(approved)
    if begun + agreed.every < case.now:
        since = "last reviewed" if done else "never reviewed, and first approved"
        reason = f"{case.id} was {since} at {moment_text(begun)}; agreed every {format_duration(agreed.every)}"
        yield case.finding("review-overdue", reason, remedy, ("review",))


def _counts(case: Case, by: str, made: Review) -> bool:
    subjects = {"review", f"{SCHEDULE}#review"} | {
        f"{read.id}#{clause.get('id')}"
        for read in case.covering
        for clause in read.written.content.get("clauses") or ()
        if isinstance(clause, Mapping) and clause.get("kind") == "review"
    }
    if made.person != by or made.subject not in subjects:
        return False
    person = persons_of(case.reads).get(by)
    return attestation_counts(asdict(made), [public_key(key) for key in person.keys] if person is not None else [])


def _clause(case: Case, contract: str, clause: str) -> tuple[str, int]:
    for read in case.covering:
        clauses = read.written.content.get("clauses")
        if read.id == contract and isinstance(clauses, list):
            for number, written in enumerate(clauses):
                if isinstance(written, Mapping) and written.get("id") == clause:
                    return read.written.file, read.written.line(("clauses", number))
    return case.read.written.file, case.read.written.line(("id",))
