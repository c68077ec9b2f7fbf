"""What has happened that stands against a deployment: open breaches, and a review that is overdue. Reads the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console.asking import auditor, micros_of
from console.gate.agreed import Case
from console.gate.findings import Finding
from seamwatch.documents.signing_verdicts import persons_of, public_key
from seamwatch.durations import format_duration
from seamwatch.errors import StoreError, UnreachableError
from seamwatch.judging.wording import moment_text
from seamwatch.signatures import attestation_counts


@dataclass(frozen=True, slots=True)
class History:
    """What the store knows of a system: episodes that are not resolved, and attested reviews."""

    episodes: Sequence[Mapping[str, Any]] = ()
    reviews: Sequence[Mapping[str, Any]] = ()


def ask(system: str, data: Path | None) -> History:
    """The history of a system. Raises UnreachableError or StoreError where the store does not tell."""
    given = {"system": system}
    with auditor(data) as store:
        episodes = store.rows(
            "SELECT * FROM violations WHERE system = {system:String} AND state != 'resolved' ORDER BY opened_at", given
        )
        reviews = store.rows(
            "SELECT system, subject, kind, metric, value, person, evidence_uri, key_id, signature, event_time "
            "FROM attestation WHERE system = {system:String} AND kind = 'review'",
            given,
        )
    return History(episodes, [{**row, "event_time": micros_of(row["event_time"])} for row in reviews])


def happened(case: Case, *, data: Path | None, offline: bool, despite: Sequence[str]) -> Iterator[Finding]:
    """All that the store says against it; a store that does not answer refuses, unless ``offline``."""
    history = History()
    if offline:
        reason = "the store was not asked: open breaches and attested reviews are not known"
        yield case.finding("store", reason, "run the gate without --offline before production", level="warning")
    else:
        try:
            history = ask(case.id, data)
        except (UnreachableError, StoreError) as error:
            remedy = "name the store (--data, SEAMWATCH_DATA or CLICKHOUSE_URL), or say --offline"
            yield case.finding("store", f"open breaches are not known: {error}", remedy)
    yield from breaches(case, history, despite)
    yield from review(case, history)


def breaches(case: Case, history: History, despite: Sequence[str]) -> Iterator[Finding]:
    """Each episode that is open; a warning where it is one, or where ``despite`` names its id."""
    for row in history.episodes:
        name = str(row["violation_id"])
        file, line = _clause(case, str(row["contract"]), str(row["clause"]))
        reason = f"{row['severity']} {name} is {row['state']}: {row['summary']}"
        if name in despite:
            yield Finding("open-breach", "warning", reason, "let through by --despite: see that it ends", file, line)
        elif row["severity"] == "breach":
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
    done += [int(row["event_time"]) for row in history.reviews if _counts(case, agreed.by, row)]
    done = [at for at in done if at <= case.now]
    approved = [a.approved_at for v in system.versions for a in v.approvals if a.approved_at is not None]
    remedy = f"{agreed.by} reviews it and attests it (attestation of kind review), or enters it as 'review.last'"
    if not done and not approved:
        reason = f"{case.id} was never reviewed; agreed every {format_duration(agreed.every)}"
        yield case.finding("review-overdue", reason, remedy, ("review",), "warning")
        return
    begun = max(done) if done else min(approved)
    if begun + agreed.every < case.now:
        since = "last reviewed" if done else "never reviewed, and first approved"
        reason = f"{case.id} was {since} at {moment_text(begun)}; agreed every {format_duration(agreed.every)}"
        yield case.finding("review-overdue", reason, remedy, ("review",))


def _counts(case: Case, by: str, row: Mapping[str, Any]) -> bool:
    subjects = {"review"} | {
        f"{read.id}#{clause.get('id')}"
        for read in case.covering
        for clause in read.written.content.get("clauses") or ()
        if isinstance(clause, Mapping) and clause.get("kind") == "review"
    }
    if row["person"] != by or row["subject"] not in subjects:
        return False
    person = persons_of(case.reads).get(by)
    return attestation_counts(row, [public_key(key) for key in person.keys] if person is not None else [])


def _clause(case: Case, contract: str, clause: str) -> tuple[str, int]:
    for read in case.covering:
        clauses = read.written.content.get("clauses")
        if read.id == contract and isinstance(clauses, list):
            for number, written in enumerate(clauses):
                if isinstance(written, Mapping) and written.get("id") == clause:
                    return read.written.file, read.written.line(("clauses", number))
    return case.read.written.file, case.read.written.line(("id",))
