"""How quickly the store answers the questions of docs/store.md, and what a decision costs on disk: `make bench-store`.

    python -m benchmarks.store [--decisions 100000000] [--systems 500] [--runs 20]

Starts a ClickHouse of its own in a temporary folder, has the engine itself make the decisions (90 days of them, each
with its bytes, traces and outcomes for a few), publishes a document for each system, waits until the load's parts are
merged, then asks every question as its command does and prints the median and the 95th percentile. The limit beside
each is the one the store is built for.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import quantiles

import polars as pl

from seamwatch.settings import load_settings
from sinks.store.client import Store
from sinks.store.migrate import migrate
from stack.local import LocalStack

FIRST_DAY = date(2026, 3, 1)
DAYS = 90
LAST_DAY = FIRST_DAY + timedelta(days=DAYS - 1)
STEP = 2_000_000
OPEN = 100
"""So many of the episodes are open."""
_ELSEWHERE = "127.0.0.1:9"

# One decision in ten belongs to a trace of about eight; ids are those of UUIDv7, so that they grow with time.
_DECISIONS = """
INSERT INTO inference (event_id, event_time, producer, environment, trace_id, system, version, config_digest, use_case,
    subject, score, confidence, decision, latency_ms, fallback, abuse, human_review, data_as_of, cohort, approval_id,
    topic, partition, offset, broker_time, key, raw)
SELECT
    concat(substring(moment, 1, 8), '-', substring(moment, 9, 4), '-7000-8000-', lower(leftPad(hex(number), 12, '0'))),
    at, 'scoring-service', 'production', if(number % 10 = 0, concat('trace-', toString(intDiv(number, 80))), NULL),
    concat('system-', leftPad(toString(s), 4, '0')), concat('2.', toString(intDiv(at_day, 30))),
    concat('digest-', toString(s), '-', toString(intDiv(at_day, 30))), 'consumer-credit',
    concat('p', toString(cityHash64(number, 1) % 5000000)), score, abs(score - 0.5) * 2,
    if(score > 0.6, 'accept', 'refuse'), 20 + (h % 1000) / 10, h % 997 = 0, h % 9973 = 0, h % 101 = 0,
    at - toIntervalSecond(h % 7200), ['a', 'b', 'c', 'd'][h % 4 + 1],
    concat('A-', toString(s), '-', toString(intDiv(at_day, 30))),
    'seamwatch.inference', s % 4, number, at, concat('system-', leftPad(toString(s), 4, '0')),
    concat(unhex('C301'), substring(unhex(hex(sipHash128(number))), 1, 16), toString(number), toString(at),
        'scoring-service', 'production', toString(score), toString(h))
FROM
(
    SELECT number, cityHash64(number) AS h, h % {systems} AS s, (cityHash64(number, 2) % 100000) / 100000 AS score,
        intDiv(number * {days}, {total}) AS at_day,
        toDateTime64('{start}', 6, 'UTC') + toIntervalMicrosecond(intDiv(number * {days} * 86400000, {total}) * 1000)
            AS at, lower(leftPad(hex(toUInt64(toUnixTimestamp64Milli(at))), 12, '0')) AS moment
    FROM numbers({first}, {count})
)
"""
_OUTCOMES = """
INSERT INTO outcome (event_id, event_time, producer, environment, system, inference_id, score, cohort, label,
    observed_at, topic, partition, offset, broker_time, raw)
SELECT concat('0f', substring(event_id, 3)), event_time + INTERVAL 1 DAY, producer, environment, system, event_id,
    score, cohort, toFloat64(score > 0.5), event_time + INTERVAL 1 DAY, 'seamwatch.outcome', partition, offset,
    broker_time + INTERVAL 1 DAY, 'outcome'
FROM inference WHERE cityHash64(event_id) % 100 = 0
"""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, for one of many values, and the limit in seconds."""

    name: str
    sql: str
    limit: float
    value: Callable[[random.Random], str] | None = None


def questions(events: list[str], traces: list[str], systems: int) -> list[Question]:
    """Every question, as its command or an analyst asks it."""

    def system(random_: random.Random) -> str:
        return f"system-{random_.randrange(systems):04}"

    return [
        Question("inventory", "SELECT * FROM inventory", 1.0),
        Question("owner of a system", "SELECT * FROM owners WHERE system = {v:String}", 1.0, system),
        Question("drift on every model", "SELECT * FROM drift_now", 5.0),
        Question(
            "five signals, a day, all systems",
            f"SELECT * FROM five_signals WHERE day >= toDate('{LAST_DAY}')",
            1.0,
        ),
        Question(
            "five signals, a week, one system",
            "SELECT * FROM five_signals WHERE system = {v:String} AND day > toDate('2026-05-20')",
            1.0,
            system,
        ),
        Question("why", "SELECT * FROM why WHERE event_id = {v:String}", 0.1, lambda r: r.choice(events)),
        Question(
            "trail", "SELECT * FROM trail WHERE trace_id = {v:String} ORDER BY event_time", 1.0,
            lambda r: r.choice(traces),
        ),
        Question("approvals", "SELECT * FROM approvals WHERE system = {v:String}", 1.0, system),
        Question("acknowledgement latency", "SELECT * FROM acknowledgement_latency", 1.0),
        Question(
            "stale decisions of a system",
            "SELECT count() FROM stale_decisions WHERE system = {v:String} AND event_time > '2026-05-25'",
            1.0,
            system,
        ),
        Question("open violations", "SELECT * FROM violations WHERE state != 'resolved'", 1.0),
    ]  # fmt: skip


@contextmanager
def own_store(folder: Path) -> Iterator[Store]:
    """A migrated store of its own."""
    settings = load_settings(data=folder).model_copy(update={"kafka": _ELSEWHERE, "clickhouse": None})
    with LocalStack(folder, settings) as addresses, Store(addresses.clickhouse, timeout=3600) as store:
        migrate(addresses.clickhouse)
        yield store


def load(store: Store, decisions: int, systems: int) -> float:
    """Fill the tables; returns the seconds that it took."""
    begun = time.monotonic()
    for first in range(0, decisions, STEP):
        count = min(STEP, decisions - first)
        store.command(
            _DECISIONS.format(
                systems=systems, days=DAYS, total=decisions, start=f"{FIRST_DAY} 00:00:00", first=first, count=count
            )
        )
        passed = time.monotonic() - begun
        done = first + count
        print(f"\r{done:,} of {decisions:,} decisions, {done / passed:,.0f}/s ", end="", flush=True)
    print()
    store.command(_OUTCOMES)
    _documents(store, systems)
    _violations(store, systems)
    return time.monotonic() - begun


def documents(systems: int) -> list[dict[str, object]]:
    """A person, and for each system its document and a contract, as they would be written."""
    head = {"apiVersion": "seamwatch/v1"}
    person: dict[str, object] = {"kind": "Person", "id": "owner@example.org", "name": "Owner"}
    written = [head | person]
    party = {"team": "credit", "signatory": "owner@example.org"}
    for number in range(systems):
        name = f"system-{number:04}"
        versions = [
            {"version": f"2.{third}", "config_digest": f"digest-{number}-{third}", "approvals": [
                {"id": f"A-{number}-{third}", "use_case": "consumer-credit", "approved_by": "owner@example.org",
                 "approved_at": "2026-02-01T00:00:00Z"}]}
            for third in range(3)
        ]  # fmt: skip
        written.append(
            head | {"kind": "System", "id": name, "type": "model", "owner": "owner@example.org",
                    "approvers": ["owner@example.org"], "versions": versions}
        )  # fmt: skip
        clauses = [
            {"id": "shape", "kind": "distribution", "reference": {"first": "14d"}},
            {"id": "fresh", "kind": "freshness", "of": "inference", "max_lag": "1h55m"},
            {"id": "told", "kind": "change_notice", "acknowledgers": ["owner@example.org"]},
        ]
        written.append(
            head | {"kind": "Contract", "id": f"seam-{number:04}", "version": 1, "seam": "model-to-product",
                    "covers": [name], "parties": {"provider": party, "consumer": party}, "clauses": clauses,
                    "escalation": [{"person": "owner@example.org"}]}
        )  # fmt: skip
    return written


def _documents(store: Store, systems: int) -> None:
    written = documents(systems)
    frame = pl.DataFrame(
        {
            "kind": [str(each["kind"]) for each in written],
            "id": [str(each["id"]) for each in written],
            "version": [str(each.get("version", "")) for each in written],
            "document": [json.dumps(each) for each in written],
            "offset": list(range(len(written))),
        }
    ).with_columns(topic=pl.lit("seamwatch.contracts"), digest=pl.lit("d"), published_at=pl.datetime(2026, 3, 1))
    store.insert("document", frame, "documents")


def _violations(store: Store, systems: int) -> None:
    rows = [
        {
            "violation_id": f"{number:08}-v", "contract": f"seam-{number % systems:04}", "clause": "shape",
            "kind": "distribution", "system": f"system-{number % systems:04}", "severity": "breach",
            "state": "open" if state == 0 else "resolved", "summary": "moved", "person": "owner@example.org",
            "topic": "seamwatch.violations.distribution", "offset": number * 2 + state,
        }
        for number in range(20_000)
        for state in range(2 if number >= OPEN else 1)
    ]  # fmt: skip
    store.insert("violation", pl.DataFrame(rows), "violations")


def measure(store: Store, question: Question, runs: int) -> tuple[float, float]:
    """Median and 95th percentile of the seconds of one question, each time of another value."""
    seconds = []
    source = random.Random(7)
    for _ in range(runs):
        parameters = {} if question.value is None else {"v": question.value(source)}
        begun = time.monotonic()
        store.rows(question.sql, parameters)
        seconds.append(time.monotonic() - begun)
    cuts = quantiles(seconds, n=20, method="inclusive")
    return cuts[9], cuts[18]


def main() -> None:
    """Load, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--decisions", type=int, default=100_000_000)
    parser.add_argument("--systems", type=int, default=500)
    parser.add_argument("--runs", type=int, default=20)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="seamwatch-bench-store-"))
    try:
        with own_store(folder) as store:
            _report(store, arguments.decisions, arguments.systems, arguments.runs)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def merged(store: Store, patience: float = 600.0) -> None:
    """Wait until nothing is merged any more, for so many seconds at most."""
    quiet, end = 0, time.monotonic() + patience
    while quiet < 3 and time.monotonic() < end:
        (running,) = store.rows("SELECT count() AS merges FROM system.merges")
        quiet = 0 if running["merges"] else quiet + 1
        time.sleep(1)


def _report(store: Store, decisions: int, systems: int, runs: int) -> None:
    seconds = load(store, decisions, systems)
    merged(store)
    size = "SELECT sum(bytes_on_disk) AS b, count() AS parts FROM system.parts WHERE active AND table = 'inference'"
    (disk,) = store.rows(size)
    print(f"loaded {decisions:,} decisions of {systems} systems in {seconds:,.0f} s: {disk['b'] / 1e9:.2f} GB on disk, "
          f"{disk['b'] / decisions:.1f} bytes a decision, {disk['parts']} parts")  # fmt: skip
    columns = store.rows(
        "SELECT name, data_compressed_bytes AS c, data_uncompressed_bytes AS u FROM system.columns "
        "WHERE table = 'inference' AND database = currentDatabase() ORDER BY c DESC LIMIT 8"
    )
    for row in columns:
        print(
            f"  {row['name']:<12} {row['c'] / decisions:6.1f} bytes a decision, {row['u'] / max(row['c'], 1):.1f} to 1"
        )
    sample = store.rows("SELECT event_id, trace_id FROM inference WHERE trace_id IS NOT NULL ORDER BY rand() LIMIT 200")
    print(f"{'question':<34}{'p50':>10}{'p95':>10}{'limit':>10}")
    for question in questions([row["event_id"] for row in sample], [row["trace_id"] for row in sample], systems):
        middle, high = measure(store, question, runs)
        verdict = "met" if high < question.limit else "MISSED"
        print(f"{question.name:<34}{middle * 1000:>7.0f} ms{high * 1000:>7.0f} ms{question.limit:>8.1f} s  {verdict}",
              flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
