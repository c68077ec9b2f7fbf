"""A store with a day of a lender: a model in two cohorts, an agent, their data, somebody's experiment; what is amiss.

The figures are few enough to be computed by hand. Written as the recorder writes, without a broker.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from seamwatch.documents import Estate, documents_of, load_folder, published
from seamwatch.documents.canonical import canonical_json, digest_of
from seamwatch.durations import DAY, HOUR, MINUTE, SECOND
from seamwatch.judging.model.facts import Evidence
from seamwatch.judging.records import violation_record
from seamwatch.testing import event_id
from seamwatch.wire.topics import Topics
from sinks.store.client import Store
from tests.databases import migrated
from tests.sinks.ledger.book import Book
from tests.sinks.samples import CODEC, NOW, violation

BASE: Final = NOW // DAY * DAY - 3 * DAY
"""The day begins."""
END: Final = BASE + DAY
MODEL, AGENT, DATA, STRAY = "lender", "refunds", "households", "experiment"
OWNER, RISK = "owner@example.org", "risk@example.org"
NORTH: Final = ((0.1, 0), (0.2, 0), (0.3, 0), (0.4, 1), (0.6, 1), (0.7, 1), (0.8, 1), (0.9, 1), (0.55, 0))
"""Scores and labels of the north; a tenth decision, of 0.45, has no outcome."""
SOUTH: Final = ((0.5, 1), (0.5, 0), (0.5, 1), (0.5, 0))
DOCUMENTS: Final = f"""\
kind: Person
id: {OWNER}
name: Example Owner
---
kind: Person
id: {RISK}
name: Example Risk
---
kind: System
id: {MODEL}
type: model
owner: {OWNER}
team: lending
purpose: ranks applications for a credit limit by the probability that they are repaid
not_for: [refusing anybody without a person, "prices <of> insurance"]
use_cases: [credit-limit]
depends_on: [{DATA}]
benchmark: [{{metric: auc, min: 0.8}}, {{metric: psi, max: 0.2}}]
versions:
  - version: "1"
    approvals:
      - id: CR-1
        use_case: credit-limit
        approved_by: {RISK}
        approved_at: 2026-01-10T00:00:00Z
        evidence: https://example.org/CR-1
---
kind: System
id: {AGENT}
type: agent
owner: {OWNER}
---
kind: System
id: {DATA}
type: dataset
owner: {RISK}
---
kind: Contract
id: lending
version: "2"
seam: model-to-product
covers: [{MODEL}]
parties: {{provider: {{team: lending, signatory: {OWNER}}}, consumer: {{team: product, signatory: {RISK}}}}}
clauses:
  - {{id: quick, kind: signal, signal: latency, max: 100, window: 1h, min_count: 5}}
  - {{id: right, kind: signal, signal: accuracy, min: 0.8, window: 1d, min_count: 5, by: cohort}}
  - {{id: means-it, kind: calibration, max_error: 0.1, bins: 5, min_outcomes: 8, by: cohort}}
  - {{id: spoken, kind: assertion, must: attributes.language = 'en', where: "use_case = 'letters'"}}
---
kind: Contract
id: pact
version: "1"
seam: agent-pact
covers: [{AGENT}]
parties: {{provider: {{team: a}}, consumer: {{team: b}}}}
clauses:
  - {{id: may, kind: scope, tools: [{{tool: refund, where: arguments.amount <= 100}}]}}
---
kind: Contract
id: data
version: "1"
seam: data-to-model
covers: [{DATA}]
parties: {{provider: {{team: a}}, consumer: {{team: b}}}}
clauses:
  - {{id: enough, kind: volume, of: dataset, min: 10}}
  - {{id: fresh, kind: freshness, max_lag: 1d}}
"""
UNREADABLE: Final = {"apiVersion": "seamwatch/v1", "kind": "Contract", "id": "ours", "version": "1"}


@dataclass(frozen=True)
class Judged:
    """The store, its URL, and the documents that it has."""

    store: Store
    url: str
    estate: Estate


@contextmanager
def judged(clickhouse: str, folder: Path) -> Iterator[Judged]:
    """A store of its own with the day in it."""
    name = f"j_{uuid.uuid4().hex[:10]}"
    url = urlunsplit(urlsplit(clickhouse)._replace(path=f"/{name}"))
    migrated(url)
    (folder / "all.yaml").write_text(DOCUMENTS)
    estate, problems = load_folder(folder)
    assert estate is not None, problems
    with Store(url) as store:
        _fill(Book(store, Topics("t")), estate)
        yield Judged(store, url, estate)
        store.command(f"DROP DATABASE {name}")


def _fill(book: Book, estate: Estate) -> None:
    for key, value in published(documents_of(estate), BASE - 30 * DAY):
        book.record([value], "contracts", key=key.encode())
    unreadable = {"document": UNREADABLE, "digest": digest_of(UNREADABLE), "published_at": BASE}
    book.record([canonical_json(unreadable)], "contracts", key=b"Contract/ours/1")
    _send(book, "inference", *_decisions())
    _send(book, "outcome", *_outcomes())
    _send(book, "tool_call", *_calls())
    _send(
        book,
        "dataset_refresh",
        {"event_id": event_id("r1"), "event_time": BASE, "system": DATA, "data_as_of": BASE - HOUR, "row_count": 40},
        {"event_id": event_id("r2"), "event_time": BASE + HOUR, "system": DATA, "data_as_of": BASE, "row_count": None},
    )
    _send(
        book,
        "config_change",
        {"event_id": event_id("ch"), "event_time": BASE + 2 * HOUR, "system": MODEL, "change_id": "CHANGE-7",
         "kind": "threshold", "from_value": "0.5", "to_value": "0.6", "effective_at": BASE + 3 * HOUR,
         "announced_by": OWNER, "summary": "a stricter threshold"},
    )  # fmt: skip
    _send(
        book,
        "attestation",
        {"event_id": event_id("b1"), "event_time": BASE + HOUR, "system": MODEL, "subject": "benchmark",
         "kind": "benchmark", "metric": "auc", "value": 0.83, "person": RISK},
    )  # fmt: skip
    episode = violation(
        violation_id="e" * 32, contract="lending", contract_version="2", clause="quick", kind="signal", system=MODEL,
        opened_at=BASE + 2 * HOUR, state="resolved", resolved_at=BASE + 3 * HOUR, person=OWNER,
        summary="lender: latency was 140 ms; agreed at most 100 ms", evidence=(Evidence(0, event_id("n1"), "t", 0, 1),),
    )  # fmt: skip
    book.record([CODEC.encode("violation", violation_record(episode))], "violations.signal")
    book.record([b"not an event"], "inference", partition=3, millis=BASE // 1000)


def _send(book: Book, record_type: str, *records: dict[str, Any]) -> None:
    book.record([CODEC.encode(record_type, record) for record in records], record_type)


def _decision(name: str, at: int, **fields: Any) -> dict[str, Any]:
    return {
        "event_id": event_id(name), "event_time": at, "system": MODEL, "version": "1", "use_case": "credit-limit",
        "subject": "p", "latency_ms": 40.0, "data_as_of": at - HOUR, **fields,
    }  # fmt: skip


def _decisions() -> Iterator[dict[str, Any]]:
    scores = [*(score for score, _ in NORTH), 0.45]
    for number, score in enumerate(scores):
        yield _decision(f"n{number}", BASE + number * MINUTE, score=score, cohort="north")
    for number, (score, _) in enumerate(SOUTH):
        yield _decision(f"s{number}", BASE + 30 * MINUTE + number * MINUTE, score=score, cohort="south")
    # An hour with too few, and one in which no latency is told.
    for number in range(3):
        yield _decision(f"few{number}", BASE + HOUR + number * MINUTE, score=0.5, cohort="north")
    for number in range(6):
        yield _decision(f"mute{number}", BASE + 2 * HOUR + number * SECOND, latency_ms=None, score=0.5, cohort="south")
    for number in range(2):
        yield _decision(f"x{number}", BASE + number, system=STRAY, version="0", score=0.5)


def _outcomes() -> Iterator[dict[str, Any]]:
    def outcome(name: str, of: str, label: float, **fields: Any) -> dict[str, Any]:
        times = {"event_time": BASE + 4 * HOUR, "observed_at": BASE + 4 * HOUR}
        return (
            {"event_id": event_id(name), "system": MODEL, "inference_id": event_id(of), "label": label} | times | fields
        )

    # Half of them carry neither score nor cohort, which their decisions have.
    for number, (score, label) in enumerate(NORTH):
        carried = {"score": score, "cohort": "north"} if number % 2 else {}
        yield outcome(f"on{number}", f"n{number}", float(label), **carried)
    for number, (_, label) in enumerate(SOUTH):
        yield outcome(f"os{number}", f"s{number}", float(label))
    yield outcome("lost", "nobody-decided-it", 1.0)
    yield outcome("odd", "few0", 2.0)


def _calls() -> Iterator[dict[str, Any]]:
    arguments = ('{"amount": 5}', '{"amount": 7}', '{"amount": "much"}', "{}", json.dumps({"amount": 200}))
    for number, text in enumerate(arguments):
        yield {
            "event_id": event_id(f"c{number}"), "event_time": BASE + number * SECOND, "system": AGENT, "version": "7",
            "tool": "refund", "arguments": text, "decision": "allowed", "trace_id": "t",
        }  # fmt: skip
