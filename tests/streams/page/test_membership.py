"""A pager that its consumer group no longer knows ends, instead of living on and being told of nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer

from seamwatch.errors import StageError
from tests.sinks.estate import Estate, estate
from tests.streams.page.test_page import Running
from tests.waiting import PATIENCE, wait_for


@pytest.fixture
def own(kafka: str, clickhouse: str) -> Iterator[Estate]:
    with estate(kafka, clickhouse) as made:
        yield made


def test_a_pager_that_its_group_refuses_ends(own: Estate) -> None:
    stranger = Consumer({"bootstrap.servers": own.kafka, "group.id": f"{own.topics.prefix}.page"})
    joined, ended = threading.Event(), threading.Event()
    stranger.subscribe([own.topics.page], on_assign=lambda *_: joined.set())

    def poll() -> None:
        while not ended.is_set():
            stranger.poll(0.1)

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        assert joined.wait(PATIENCE)
        pager = Running(own)
        wait_for(lambda: pager.error is not None, "the end of the pager")
        assert isinstance(pager.error, StageError)
        assert "InconsistentGroupProtocol" in str(pager.error)
    finally:
        ended.set()
        thread.join(PATIENCE)
        stranger.close()
