"""Where a pager begins: what it reads at its start does not grow with what is over, and what still matters it has."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from seamwatch.paging import DELIVERED
from streams.page.beginning import Needed
from streams.page.follower import Follower, Received, ReceivedViolation
from streams.page.tellings import Telling
from tests.sinks.estate import Estate, estate
from tests.sinks.samples import CODEC, violation
from tests.streams.page.publishing import publish
from tests.waiting import PATIENCE, wait_for

KINDS = ["freshness"]


@pytest.fixture
def own(kafka: str, clickhouse: str) -> Iterator[Estate]:
    with estate(kafka, clickhouse) as made:
        yield made


class Following:
    """A follower, and what it has handed on."""

    def __init__(self, own: Estate, needed: Needed | None = None) -> None:
        self.received: list[Received] = []
        self.caught_up = threading.Event()
        self.needed = needed
        self.follower = Follower(
            own.kafka, own.topics, KINDS, self._receive, CODEC, lambda: self.needed, whole=0.0, mark_every=0.2
        )
        assert self.caught_up.wait(PATIENCE)

    def _receive(self, received: list[Received]) -> None:
        self.received += received
        if not received:
            self.caught_up.set()

    def violations(self) -> list[ReceivedViolation]:
        return [each for each in self.received if isinstance(each, ReceivedViolation)]

    def tellings(self) -> list[Telling]:
        return [each for each in self.received if isinstance(each, Telling)]

    def close(self) -> None:
        self.follower.close()
        assert self.follower.error is None


def tell(own: Estate, *tellings: Telling) -> None:
    producer = own.producer()
    for telling in tellings:
        producer.produce(own.topics.page, CODEC.encode("page", telling.record()), key=telling.key)
    assert producer.flush(PATIENCE) == 0


def test_what_is_read_at_the_start_does_not_grow_with_what_is_over(own: Estate) -> None:
    old = violation(0)
    publish(own, old)
    tell(own, Telling("v0000", 0, "ann", "slack", 1, DELIVERED, reference="C1:2"))
    for number in range(1, 300):
        publish(own, violation(number), replace(violation(number), state="resolved"))
    tell(own, *(Telling(f"v{number:04d}", 0, "ann", "slack", 1, DELIVERED) for number in range(1, 300)))
    first = Following(own)
    assert len(first.violations()) == 599
    assert len(first.tellings()) == 300
    passed: dict[tuple[str, int], int] = {}
    offsets: dict[tuple[str, int], set[int]] = {}
    for each in first.violations():
        passed[each.topic, each.partition] = each.offset + 1
        if each.violation.violation_id == "v0000":
            offsets.setdefault((each.topic, each.partition), set()).add(each.offset)
    for telling in first.tellings():
        assert telling.at is not None
        topic, partition, offset = telling.at
        passed[topic, partition] = offset + 1
        if telling.violation_id == "v0000":
            offsets.setdefault((topic, partition), set()).add(offset)
    time.sleep(0.01)  # what was said a moment ago is older than no time at all
    first.needed = Needed(passed, offsets)
    wait_for(lambda: _reads(own) == 2, "the mark")
    first.close()
    publish(own, violation(500))
    second = Following(own)
    try:
        wait_for(lambda: len(second.violations()) >= 2, "the new one")
        assert sorted(each.violation.violation_id for each in second.violations()) == ["v0000", "v0500"]
        assert [(t.violation_id, t.reference) for t in second.tellings()] == [("v0000", "C1:2")]
    finally:
        second.close()


def _reads(own: Estate) -> int:
    following = Following(own)
    following.close()
    return len(following.violations()) + len(following.tellings())


def test_a_topic_that_was_made_anew_is_read_from_its_beginning(own: Estate) -> None:
    publish(own, violation(1))
    first = Following(own)
    first.needed = Needed({(own.topics.violations("freshness"), number): 10_000 for number in range(2)}, {})
    time.sleep(1.0)
    first.close()
    second = Following(own)
    second.close()
    assert [each.violation.violation_id for each in second.violations()] == ["v0001"]
