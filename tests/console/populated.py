"""A store that looks like a real estate's: systems of every kind, long names, odd ids, and what nobody declared.

Written as the recorder writes, without a broker.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from console.app import main
from seamwatch.documents import documents_of, load_folder, published
from seamwatch.documents.signing import SignatureLine
from seamwatch.durations import DAY, HOUR, MINUTE, SECOND
from seamwatch.instants import format_instant
from seamwatch.judging.model.facts import Evidence, Violation
from seamwatch.judging.records import violation_record
from seamwatch.wire.topics import Topics
from sinks.store.client import Store
from tests.databases import migrated
from tests.sinks.ledger.book import Book
from tests.sinks.samples import CODEC, NOW, violation

MODEL = "eligibility-decisions-north-rhine-westphalia-retail"
AGENT = "refunds-agent"
DATASET = "household-features-daily-eu-central"
STRAY = "price-experiment-of-nobody"
PIPELINE = "nightly-scoring"
DIGEST = "sha256:" + hashlib.sha256(b"configuration").hexdigest()
PEOPLE = ("mira.van-den-berg@risk.example.org", "tomas@example.org", "otto@example.org")
TRACE = "conversation-" + "7" * 32
AWAY = tuple(format_instant(NOW + far)[:19] + "Z" for far in (-DAY, DAY))
"""From when to when somebody stands in on call."""
DOCUMENTS = f"""\
kind: Person
id: {PEOPLE[0]}
name: Mira van den Berg
channels: ["mailto://${{USER_X}}:${{SECRET_X}}@example.org"]
---
kind: Person
id: {PEOPLE[1]}
name: Tomas Example
---
kind: Person
id: {PEOPLE[2]}
name: Otto Example
---
kind: System
id: {MODEL}
type: model
owner: {PEOPLE[0]}
team: lending-decisions
risk_tier: high
depends_on: [{DATASET}]
versions:
  - version: "2026.11.3"
    config_digest: "{DIGEST}"
    approvals:
      - id: APPROVAL-2026-000117
        use_case: consumer-credit-eligibility
        approved_by: {PEOPLE[1]}
        approved_at: 2026-01-10T00:00:00Z
---
kind: System
id: {PIPELINE}
type: pipeline
owner: {PEOPLE[1]}
---
kind: System
id: {DATASET}
type: dataset
owner: {PEOPLE[2]}
---
kind: RiskPolicy
id: risk-of-decisions
version: "2"
effective_from: 2026-01-01
signatories: [{PEOPLE[2]}]
tiers:
  - {{tier: high, ai_act: high-risk-annex-iii, review_every: 90d}}
---
kind: Rota
id: decisions-on-call
title: Lending decisions, on call
owner: {PEOPLE[0]}
time_zone: Europe/Berlin
starts: 2026-01-05
persons: [{PEOPLE[0]}, {PEOPLE[1]}]
instead:
  - {{from: "{AWAY[0]}", to: "{AWAY[1]}", person: {PEOPLE[2]}, reason: Mira is at a wedding}}
---
kind: Rota
id: night-desk
owner: {PEOPLE[2]}
time_zone: America/New_York
starts: 2026-01-05
hand_over: "17:00"
every: 1d
persons: [{PEOPLE[2]}, {PEOPLE[0]}]
---
kind: Contract
id: eligibility-data-to-decisions
version: "4"
seam: data-to-model
covers: [{MODEL}, {DATASET}]
parties: {{provider: {{team: data, signatory: {PEOPLE[1]}}}, consumer: {{team: lending-decisions}}}}
escalation:
  - {{person: {PEOPLE[0]}, acknowledge_within: 30m}}
  - {{person: {PEOPLE[1]}, acknowledge_within: 1h}}
  - {{rota: decisions-on-call, acknowledge_within: 2h}}
clauses:
  - {{id: decisions-on-fresh-features, kind: freshness, of: inference, max_lag: 1h}}
  - {{id: told, kind: change_notice, acknowledgers: ["{PEOPLE[0]}", "{PEOPLE[2]}"]}}
  - {{id: shape-of-scores, kind: distribution, reference: {{first: 7d}}}}
"""


def event(name: object) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, str(name)))


def hexed(name: object) -> str:
    """An id as another release gave them: 32 digits."""
    return hashlib.md5(str(name).encode(), usedforsecurity=False).hexdigest()


EPISODES: tuple[Violation, ...] = (
    violation(
        violation_id=hexed("drift"),
        kind="distribution",
        contract="eligibility-data-to-decisions",
        contract_version="4",
        clause="shape-of-scores",
        system=MODEL,
        observed=0.31,
        limit=0.2,
        unit="share",
        summary=f"{MODEL}: scores of cohort under-25 are no longer those that were approved, in a long sentence",
        person=PEOPLE[0],
        opened_at=NOW - 3 * HOUR,
        since=NOW - 5 * HOUR,
        evidence=(Evidence(0, event("d1"), "t", 0, 0),),
    ),
    violation(
        violation_id=str(uuid.UUID(hexed("stale"))),
        system=DATASET,
        contract="eligibility-data-to-decisions",
        contract_version="4",
        clause="fresh",
        person=PEOPLE[1],
        state="resolved",
        opened_at=NOW - 2 * HOUR,
        resolved_at=NOW - HOUR,
        evidence=(Evidence(0, event("d2"), "t", 0, 1),),
    ),
    violation(
        violation_id=hexed("scope"),
        kind="scope",
        contract="agent-pact",
        clause="tools",
        system=AGENT,
        slice=TRACE,
        state="acknowledged",
        acknowledged_by=PEOPLE[2],
        acknowledged_at=NOW - 10 * MINUTE,
        person=PEOPLE[2],
        opened_at=NOW - 30 * MINUTE,
        evidence=(Evidence(0, event("c2"), "t", 0, 1),),
    ),
)


@dataclass(frozen=True)
class Answered:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Populated:
    """A store with an estate in it; ``run`` runs a command against it."""

    store: Store
    book: Book
    url: str
    documents: Path
    run: Callable[..., Answered]

    def run_with(self, capsys: pytest.CaptureFixture[str], *arguments: str) -> Answered:
        """Run a command, where the store outlives the test."""
        return _run(capsys, arguments)

    def send(self, record_type: str, *records: dict[str, Any], partition: int = 0) -> None:
        """Record events, each made valid by what it does not say."""
        values: list[bytes | None] = [CODEC.encode(record_type, {"event_time": NOW, **record}) for record in records]
        self.book.record(values, record_type, partition, millis=NOW // 1000)


def decision(name: object, at: int, **fields: Any) -> dict[str, Any]:
    return {
        "event_id": event(name),
        "event_time": at,
        "system": MODEL,
        "version": "2026.11.3",
        "config_digest": DIGEST,
        "use_case": "consumer-credit-eligibility",
        "subject": "p-81",
        "score": 0.4,
        "decision": "refuse",
        "latency_ms": 12.5,
        "data_as_of": at - 2 * HOUR,
        "cohort": "under-25",
        "trace_id": TRACE,
        **fields,
    }


def call(name: object, at: int, **fields: Any) -> dict[str, Any]:
    return {
        "event_id": event(name),
        "event_time": at,
        "system": AGENT,
        "version": "7",
        "tool": "refund",
        "arguments": '{"amount": 5}',
        "decision": "allowed",
        "trace_id": TRACE,
        **fields,
    }


@contextmanager
def populated(
    clickhouse: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str] | None = None
) -> Iterator[Populated]:
    """A store of its own with the estate, and the environment that names it."""
    name = f"p_{uuid.uuid4().hex[:10]}"
    url = urlunsplit(urlsplit(clickhouse)._replace(path=f"/{name}"))
    migrated(url)
    for variable, value in (("CLICKHOUSE_URL", url), ("SEAMWATCH_PREFIX", "t"), ("SEAMWATCH_DATA", str(folder))):
        monkeypatch.setenv(variable, value)

    def run(*arguments: str) -> Answered:
        assert capsys is not None
        return _run(capsys, arguments)

    with Store(url) as store:
        estate = Populated(store, Book(store, Topics("t")), url, folder / "documents", run)
        fill(estate)
        yield estate
        store.command(f"DROP DATABASE {name}")


def _run(capsys: pytest.CaptureFixture[str], arguments: Sequence[str]) -> Answered:
    code = 0
    try:
        main(arguments)
    except SystemExit as end:
        code = int(end.code or 0)
    said = capsys.readouterr()
    return Answered(code, said.out, said.err)


def fill(estate: Populated) -> None:
    """Put the estate into an empty store."""
    written = estate.documents
    written.mkdir()
    (written / "all.yaml").write_text(DOCUMENTS)
    loaded, problems = load_folder(written)
    assert loaded is not None, problems
    (agreed,) = loaded.contracts
    signed = (agreed.kind_name, agreed.id, agreed.version, agreed.digest)
    signatures = {agreed.key: [SignatureLine(*signed, PEOPLE[1], "key-1", "2026-11-02T14:05:00Z", "bm9uZQ==")]}
    for key, value in published(documents_of(loaded), NOW - 2 * DAY, signatures):
        estate.book.record([value], "contracts", key=key.encode())
    estate.send(
        "inference",
        decision("d1", NOW - 2 * HOUR),
        decision("d2", NOW - 90 * MINUTE, parent_id=event("d1")),
        decision("d3", NOW - 80 * MINUTE, data_as_of=None, trace_id=None, cohort=None, latency_ms=None),
        decision("d4", NOW - 70 * MINUTE, system=STRAY, version="0", config_digest=None, trace_id=None),
    )
    estate.send(
        "tool_call",
        call("c1", NOW - 100 * MINUTE, parent_id=event("d1")),
        call("c2", NOW - 99 * MINUTE + 31 * SECOND // 1000, parent_id=event("c1"), tool="delete_customer"),
        call("c3", NOW - 98 * MINUTE, parent_id=event("nowhere")),
        partition=1,
    )
    estate.send(
        "dataset_refresh",
        {"event_id": event("r1"), "event_time": NOW - 3 * HOUR, "system": DATASET, "data_as_of": NOW - 4 * HOUR,
         "row_count": 120_000, "cohorts": [{"cohort": "under-25", "count": 9_000}]},
    )  # fmt: skip
    estate.send(
        "outcome",
        {"event_id": event("o1"), "system": MODEL, "inference_id": event("d1"), "label": 1.0, "observed_at": NOW},
        {"event_id": event("o2"), "system": MODEL, "inference_id": event("never"), "label": 0.0, "observed_at": NOW},
    )
    estate.send(
        "config_change",
        {"event_id": event("ch"), "event_time": NOW - 6 * HOUR, "system": MODEL, "change_id": "CHANGE-2026-11-000042",
         "kind": "model", "effective_at": NOW, "announced_by": PEOPLE[1], "summary": "another base model"},
    )  # fmt: skip
    for episode in EPISODES:
        value = CODEC.encode("violation", violation_record(episode))
        estate.book.record([value], f"violations.{episode.kind}", millis=NOW // 1000)
    pages: list[bytes | None] = [
        CODEC.encode("page", {"violation_id": episode.violation_id, "step": 0, "person": str(episode.person),
                              "channel": "console", "sent_at": episode.opened_at + SECOND, "result": "delivered"})
        for episode in EPISODES
    ]  # fmt: skip
    estate.book.record(pages, "page", millis=NOW // 1000)
