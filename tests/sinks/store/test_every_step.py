"""A recorder that dies between any two of its steps leaves nothing undone and nothing done twice.

Two steps of `tests.sinks.store.steps` here; `make chaos-record` goes through all of them.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sinks.estate import Estate, assert_recorded, estate
from tests.sinks.record.test_several import assert_tiled
from tests.sinks.samples import encoded
from tests.sinks.store.steps import STEPS, Nursery, killed_at
from tests.waiting import PATIENCE


@pytest.fixture
def own(kafka: str, clickhouse: str) -> Iterator[Estate]:
    with estate(kafka, clickhouse, partitions=1) as made:
        yield made


@pytest.mark.timeout(600)
def test_killed_before_a_step_or_before_its_answer_the_next_one_goes_on_as_if_nothing_had_been(own: Estate) -> None:
    nursery, producer, sent = Nursery(own), own.producer(), 0
    for step, answered in [("block", True), ("commit", False)]:
        for number in range(20):
            value = b"junk" if number == 7 else encoded(number=sent + number)
            producer.produce(own.topics.input("inference"), value)
        assert producer.flush(PATIENCE) == 0
        sent += 20
        killed_at(own, nursery, STEPS[step], answered=answered, events=sent)
    nursery.close()
    assert_recorded(own)
    assert_tiled(own)
