"""One event is one event in every answer, however often it was delivered, and the record shows each delivery."""

from __future__ import annotations

import json
import random
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from typer.testing import CliRunner

from console.app import build
from seamwatch.clock import SystemClock
from seamwatch.durations import HOUR, MINUTE
from seamwatch.record_types import INPUT_TYPES
from seamwatch.wire.topics import Topics
from sinks.decoding import decoding
from sinks.record.repeats import Repeats, find, looked_until
from sinks.record.stage import Recorder
from sinks.store.client import Store
from tests.databases import migrated
from tests.sinks.estate import Estate, committed, estate
from tests.sinks.ledger.book import Book
from tests.sinks.samples import CODEC, NOW
from tests.waiting import PATIENCE, wait_for

SYSTEM, AGENT, FEED = "credit-risk", "desk-agent", "credit-feed"


def event(name: object) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, str(name)))


DECISION = {
    "event_id": event("decision"), "event_time": NOW - 5 * MINUTE, "system": SYSTEM, "version": "2.1",
    "config_digest": "abc", "use_case": "consumer-credit", "score": 0.25, "decision": "refuse", "latency_ms": 40.0,
    "trace_id": "trace-1", "data_as_of": NOW - 9 * HOUR, "abuse": True, "subject": "p-1",
}  # fmt: skip
EVENTS: dict[str, dict[str, Any]] = {
    "inference": DECISION,
    "tool_call": {"system": AGENT, "version": "7", "tool": "refund", "arguments": "{}", "decision": "allowed",
                  "trace_id": "trace-1", "parent_id": event("decision")},
    "outcome": {"system": SYSTEM, "inference_id": event("decision"), "label": 1.0, "observed_at": NOW},
    "config_change": {"system": SYSTEM, "change_id": "CH-1", "kind": "model", "effective_at": NOW,
                      "announced_by": "bob@example.org", "summary": "a new base model", "trace_id": "trace-1"},
    "acknowledgement": {"system": SYSTEM, "of": "change", "reference": "CH-1", "person": "ann@example.org",
                        "answer": "accept", "event_time": NOW + 5_000_000},
    "dataset_refresh": {"system": FEED, "data_as_of": NOW, "row_count": 7, "trace_id": "trace-1"},
    "attestation": {"system": SYSTEM, "subject": "credit-data#fresh", "kind": "review", "person": "ann@example.org"},
    "suspension": {"system": SYSTEM, "tool": "refund", "state": "suspended", "person": "ann@example.org",
                   "reason": "it refunds twice"},
}  # fmt: skip
EVENTS = {kind: {"event_id": event(kind), "event_time": NOW, **fields} for kind, fields in EVENTS.items()}
SYSTEM_DOCUMENT = {
    "apiVersion": "seamwatch/v1", "kind": "System", "id": SYSTEM, "type": "model", "owner": "ann@example.org",
    "versions": [{"version": "2.1", "config_digest": "abc", "approvals": [
        {"id": "A-7", "use_case": "consumer-credit", "approved_by": "bob@example.org",
         "approved_at": "2026-01-10T00:00:00Z"}]}],
}  # fmt: skip
CONTRACT_DOCUMENT = {
    "apiVersion": "seamwatch/v1", "kind": "Contract", "id": "credit-data", "version": "1", "seam": "data-to-model",
    "covers": [SYSTEM], "parties": {"provider": {}, "consumer": {}}, "escalation": [{"person": "ann@example.org"}],
    "clauses": [{"id": "fresh", "kind": "freshness", "of": "inference", "max_lag": "1h"},
                {"id": "told", "kind": "change_notice", "acknowledgers": ["ann@example.org"]}],
}  # fmt: skip


@contextmanager
def recording(own: Estate, instance: str = "0") -> Iterator[None]:
    recorder = Recorder(own.kafka, own.url, own.topics, decoding(CODEC, SystemClock()), instance)
    thread = threading.Thread(target=recorder.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        recorder.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def deliver(own: Estate, *partitions: int, kinds: tuple[str, ...] = INPUT_TYPES) -> None:
    """One delivery of each event to each of these partitions, one after another."""
    producer = own.producer()
    for partition in partitions:
        for kind in kinds:
            producer.produce(own.topics.input(kind), CODEC.encode(kind, EVENTS[kind]), key=b"k", partition=partition)
        assert producer.flush(PATIENCE) == 0


def publish(own: Estate) -> None:
    producer = own.producer()
    for document in (SYSTEM_DOCUMENT, CONTRACT_DOCUMENT):
        value = {"published_at": NOW - 48 * HOUR, "digest": "d", "document": document}
        version = f"@{document['version']}" if "version" in document else ""
        key = f"{document['kind']}/{document['id']}{version}"
        producer.produce(own.topics.contracts, json.dumps(value).encode(), key=key.encode())
    assert producer.flush(PATIENCE) == 0


ONCE = {
    "SELECT count() FROM decisions": 1,
    "SELECT count() FROM calls": 1,
    "SELECT count() FROM outcomes": 1,
    "SELECT count() FROM refreshes": 1,
    "SELECT count() FROM changes": 1,
    "SELECT count() FROM answers": 1,
    "SELECT count() FROM attestations": 1,
    "SELECT count() FROM suspensions": 1,
    "SELECT sum(events) FROM traffic": 3,
    f"SELECT events FROM inventory WHERE system = '{SYSTEM}'": 1,
    f"SELECT events FROM inventory WHERE system = '{AGENT}'": 1,
    f"SELECT events FROM inventory WHERE system = '{FEED}'": 1,
    "SELECT events FROM approvals": 1,
    "SELECT count() FROM stale_decisions": 1,
    f"SELECT count() FROM why WHERE event_id = '{event('decision')}'": 1,
    f"SELECT count() FROM why WHERE event_id = '{event('tool_call')}'": 1,
    "SELECT count() FROM trail WHERE trace_id = 'trace-1'": 4,
    f"SELECT events FROM five_signals WHERE system = '{SYSTEM}'": 1,
    f"SELECT calls FROM five_signals WHERE system = '{AGENT}'": 1,
    f"SELECT outcomes FROM five_signals WHERE system = '{SYSTEM}'": 1,
    f"SELECT abuse_share FROM five_signals WHERE system = '{SYSTEM}'": 1,
    f"SELECT latency_p50_ms FROM five_signals WHERE system = '{SYSTEM}'": 40,
    f"SELECT brier FROM five_signals WHERE system = '{SYSTEM}'": 0.5625,
    f"SELECT count() FROM drift_now WHERE system = '{SYSTEM}'": 1,
    f"SELECT count() FROM drift_now WHERE system = '{AGENT}'": 1,
    "SELECT count() FROM acknowledgements": 1,
    "SELECT count() FROM acknowledgement_latency": 1,
    f"SELECT count() FROM owners WHERE system = '{SYSTEM}'": 1,
}
"""What each question answers of the events, each of them there once."""


def answers(own: Estate) -> dict[str, float]:
    return {sql: next(iter(own.rows(sql)[0].values())) for sql in ONCE}


def printed(own: Estate) -> list[str]:
    """What the commands print, without what is of the moment and of where a row lies."""
    environment = {
        "CLICKHOUSE_URL": own.url,
        "KAFKA_BOOTSTRAP_SERVERS": own.kafka,
        "SEAMWATCH_PREFIX": own.topics.prefix,
    }
    said = []
    for typed in (["stale"], ["signals", "--days", "3"], ["approvals"], ["inventory"], ["trail", "trace-1"],
                  ["why", event("decision")], ["acknowledgements"], ["drift"]):  # fmt: skip
        result = CliRunner().invoke(build(), [*typed, "--json"], env=environment, catch_exceptions=False)
        said += [line for line in result.stdout.splitlines() if line]
    return said


@pytest.mark.parametrize("partitions", [(0, 0, 0, 0), (0, 1), (1, 0, 1)])
def test_whatever_was_delivered_several_times_counts_once(
    kafka: str, clickhouse: str, partitions: tuple[int, ...]
) -> None:
    with estate(kafka, clickhouse) as own:
        publish(own)
        with recording(own):
            deliver(own, *partitions)
            total = 2 + len(partitions) * len(INPUT_TYPES)
            wait_for(lambda: committed(own) == total, "recording")
            # At once, without waiting for anything: it is found before it is committed.
            assert answers(own) == pytest.approx(ONCE)
        for kind in INPUT_TYPES:
            assert own.rows(f"SELECT count() AS n FROM {kind}") == [{"n": len(partitions)}]
        assert len(printed(own)) == len(set(printed(own))) == 15


def test_a_repetition_counts_once_whoever_records_it_and_whenever_it_comes(kafka: str, clickhouse: str) -> None:
    with estate(kafka, clickhouse) as own:
        publish(own)
        deliver(own, 0)
        with recording(own):
            wait_for(lambda: committed(own) == 2 + len(INPUT_TYPES), "the first delivery")
        deliver(own, 1)
        with recording(own, "another"):
            wait_for(lambda: committed(own) == 2 + 2 * len(INPUT_TYPES), "the second delivery")
            assert answers(own) == pytest.approx(ONCE)


def test_what_a_recorder_left_behind_is_found_by_the_next(
    kafka: str, clickhouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with estate(kafka, clickhouse) as own:
        publish(own)
        with monkeypatch.context() as patch:
            patch.setattr(Repeats, "is_due", property(lambda _: False))  # it dies before it has looked
            with recording(own):
                deliver(own, 0, 1)
                wait_for(lambda: committed(own) == 2 + 2 * len(INPUT_TYPES), "recording")
        assert own.rows("SELECT count() AS n FROM decisions") == [{"n": 2}]
        with recording(own):
            wait_for(lambda: own.rows("SELECT count() AS n FROM repeated") == [{"n": len(INPUT_TYPES)}], "looking")
        assert answers(own) == pytest.approx(ONCE)


@pytest.fixture(scope="module")
def store(clickhouse: str) -> Iterator[Store]:
    name = f"r_{uuid.uuid4().hex[:10]}"
    url = urlunsplit(urlsplit(clickhouse)._replace(path=f"/{name}"))
    migrated(url)
    with Store(url) as made:
        yield made
        made.command(f"DROP DATABASE {name}")


Delivery = tuple[int, int, int]
"""Which event, by which partition, and when it arrived."""


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1), st.integers(0, 3)), min_size=1, max_size=14),
    st.randoms(use_true_random=False),
)
@examples(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_all_but_the_first_to_arrive_are_repetitions_in_whatever_order_they_are_recorded(
    store: Store, deliveries: list[Delivery], random_: random.Random
) -> None:
    for table in ("inference", "repeated", "repeated_until", "ledger_commit"):
        store.command(f"TRUNCATE TABLE {table}")
    topics = Topics("t")
    book = Book(store, topics)
    # Within a partition records arrive in order; between partitions they are recorded in any.
    lanes = {number: sorted((at, which) for which, lane, at in deliveries if lane == number) for number in (0, 1)}
    repeats, rows = Repeats(topics), []
    repeats.take_up({})
    offsets = {0: 0, 1: 0}
    while any(lanes.values()):
        lane = random_.choice([number for number, waiting in lanes.items() if waiting])
        at, which = lanes[lane].pop(0)
        fields = {**DECISION, "event_id": event(which), "event_time": NOW - at * random_.randrange(3)}
        book.record([CODEC.encode("inference", fields)], partition=lane, millis=NOW // 1000 + at)
        rows.append((which, NOW // 1000 + at, lane, offsets[lane]))
        repeats.add([_range(lane, offsets[lane])])
        offsets[lane] += 1
        if random_.random() < 0.4:
            repeats.look(store)
    repeats.look(store)
    assert repeats.behind == 0
    first = {which: min(row[1:] for row in rows if row[0] == which) for which, *_ in rows}
    expected = {(lane, offset) for which, at, lane, offset in rows if (at, lane, offset) != first[which]}
    found = {(row["partition"], row["offset"]) for row in store.rows("SELECT partition, offset FROM repeated")}
    assert found == expected
    assert store.rows("SELECT count() AS n FROM decisions") == [{"n": len(first)}]
    assert store.rows("SELECT sum(events) AS n FROM traffic") == [{"n": len(first)}]


def _range(partition: int, offset: int) -> Any:
    from sinks.batches import Range

    return Range("t.inference", partition, offset, offset + 1, 1)


def test_a_backlog_is_looked_through_in_parts_and_how_far_it_is_stays_known(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for table in ("inference", "repeated", "repeated_until", "ledger_commit"):
        store.command(f"TRUNCATE TABLE {table}")
    monkeypatch.setattr("sinks.record.repeats.AT_ONCE", 7)
    monkeypatch.setattr("sinks.record.repeats.NOTE_SECONDS", 0.0)
    book = Book(store, Topics("t"))
    for partition in (0, 1):
        values = [CODEC.encode("inference", {**DECISION, "event_id": event(number)}) for number in range(20)]
        book.record(list(values), partition=partition)
    repeats = Repeats(Topics("t"))
    repeats.take_up({("t.inference", 0): 20, ("t.inference", 1): 20, ("t.page", 0): 5})
    assert repeats.behind == 40
    behind = []
    while repeats.behind:
        repeats.look(store)
        behind.append(repeats.behind)
    assert len(behind) == 6
    assert store.rows("SELECT uniqExact(offset) AS n, min(partition) AS p FROM repeated") == [{"n": 20, "p": 1}]
    assert looked_until(store, ["t.inference"]) == {("t.inference", 0): 20, ("t.inference", 1): 20}
    after = Repeats(Topics("t"))
    after.take_up({("t.inference", 0): 20, ("t.inference", 1): 20})
    after.look(store)
    assert after.behind == 0


def test_events_without_an_id_are_none_of_them_repetitions(store: Store) -> None:
    store.command("TRUNCATE TABLE repeated")
    for name in ("", "00000000-0000-0000-0000-000000000000"):
        store.command(
            "INSERT INTO inference (event_id, event_time, system, topic, partition, offset) "
            f"SELECT '{name}', now64(6), 'old', 't.old', 0, number FROM numbers(3)"
        )
    find(store, "inference", {("t.old", 0): (0, 3)})
    assert store.rows("SELECT count() AS n FROM repeated WHERE topic = 't.old'") == [{"n": 0}]


Refusing = Callable[..., Any]


def test_a_store_that_refuses_stops_no_recorder_and_is_asked_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.command("TRUNCATE TABLE repeated")
    store.command("RENAME TABLE repeated TO elsewhere")
    repeats = Repeats(Topics("t"))
    repeats.add([_range(0, 0)])
    repeats.look(store)
    assert (repeats.behind, repeats.is_due) == (1, False)
    store.command("RENAME TABLE elsewhere TO repeated")
    monkeypatch.setattr("sinks.record.repeats.time.monotonic", lambda: 1e12)
    assert repeats.is_due
    repeats.look(store)
    assert repeats.behind == 0
