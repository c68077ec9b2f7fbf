"""Of which systems traffic is measured for what is suspended: those of which something was said."""

from __future__ import annotations

import time
import uuid
from dataclasses import asdict
from typing import Any

import pytest
from confluent_kafka import Producer

from bus.topics import create_topics
from seamwatch.durations import DAY
from seamwatch.judging.model.facts import Suspended
from seamwatch.wire.codec import Codec
from seamwatch.wire.events import Suspension, new_event_id
from seamwatch.wire.topics import Topics
from streams.measure import held
from streams.measure.held import KEPT_FOR, Held, Standing
from tests.waiting import PATIENCE, wait_for

CODEC = Codec()
NOW = 1_772_442_000_000_000


def test_a_system_is_held_from_the_first_word_about_it_until_long_after_the_last() -> None:
    standing = Standing()
    assert standing.systems(NOW) == frozenset()
    standing.claimed("agent", NOW)
    standing.claimed("agent", NOW - DAY)  # another partition is read later
    assert standing.systems(NOW + KEPT_FOR - 1) == {"agent"}
    assert standing.systems(NOW + KEPT_FOR) == frozenset()


def test_what_is_suspended_is_held_however_long_ago_that_was_said() -> None:
    standing = Standing()
    standing.concluded("refund", "agent", suspended=True, at=NOW)
    standing.concluded("pay", "agent", suspended=True, at=NOW)
    standing.concluded("pay", "agent", suspended=False, at=NOW)
    assert standing.systems(NOW + 10 * KEPT_FOR) == {"agent"}
    standing.concluded("refund", "agent", suspended=False, at=NOW + DAY)
    assert standing.systems(NOW + DAY) == {"agent"}
    assert standing.systems(NOW + DAY + KEPT_FOR) == frozenset()


def test_whoever_names_very_many_systems_fills_no_memory() -> None:
    standing = Standing()
    for number in range(held.MOST + 10):
        standing.claimed(f"s{number}", NOW)
    found = standing.systems(NOW)
    assert len(found) == held.MOST
    assert "s9" not in found
    assert f"s{held.MOST + 9}" in found


@pytest.mark.timeout(600)
def test_what_people_say_is_followed_and_known_again_after_a_start(kafka: str) -> None:
    topics = Topics(f"t{uuid.uuid4().hex[:10]}")
    create_topics(kafka, topics.prefix, partitions=3)
    producer = Producer({"bootstrap.servers": kafka, "linger.ms": 0})

    def write(topic: str, record_type: str, record: dict[str, Any], key: str) -> None:
        producer.produce(topic, CODEC.encode(record_type, record), key.encode())
        assert producer.flush(PATIENCE) == 0

    def claim(system: str) -> None:
        record = Suspension(
            event_id=new_event_id(), system=system, state="suspended", person="owner@example.org", reason="because"
        ).record(event_time=NOW, producer="test", environment="test")
        write(topics.input("suspension"), "suspension", record, system)

    claim("before")
    followed = Held(kafka, topics, CODEC, 3)
    now = time.time_ns() // 1_000
    assert followed.systems(now) == {"before"}
    assert not followed.poll()
    for number in range(20):
        claim(f"agent-{number}")
        wait_for(followed.poll, "the word")
        assert f"agent-{number}" in followed.systems(now)
    producer.produce(topics.input("suspension"), b"no such record")
    assert producer.flush(PATIENCE) == 0
    wait_for(followed.poll, "what cannot be read")
    assert len(followed.systems(now)) == 21
    followed.close()
    concluded = Suspended(
        "s", "of-old", None, None, "suspended", "owner@example.org", "-", None, NOW, None, None, None, NOW
    )
    write(topics.suspended, "suspended", asdict(concluded), concluded.key)
    again = Held(kafka, topics, CODEC, 3)
    assert again.systems(now) == {"before", "of-old", *(f"agent-{number}" for number in range(20))}
    again.close()
