"""A recorder whose place another has taken ends, and so does one that reads nothing for whatever other reason."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from confluent_kafka import TopicPartition

from seamwatch.clock import SystemClock
from seamwatch.errors import StageError
from sinks.decoding import decoding
from sinks.record.metrics import Metrics
from sinks.record.stage import GROUP, Recorder, topics_recorded
from tests.bus.test_fenced import Member
from tests.sinks.estate import Estate, estate
from tests.sinks.samples import CODEC
from tests.waiting import PATIENCE, wait_for


@pytest.fixture
def own(kafka: str, clickhouse: str) -> Iterator[Estate]:
    with estate(kafka, clickhouse) as made:
        yield made


class Held(Metrics):
    """What the recorder calls once a turn: once it is to be held, it does nothing else until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.hold, self.idle, self.released = threading.Event(), threading.Event(), threading.Event()
        self.buffered_rows.set = self._wait  # type: ignore[method-assign,assignment]

    def _wait(self, _rows: float) -> None:
        if self.hold.is_set():
            self.idle.set()
            self.released.wait(PATIENCE)


@pytest.mark.parametrize("moving", [False, True])
def test_a_recorder_whose_place_is_taken_ends(own: Estate, moving: bool) -> None:
    before = set(threading.enumerate())
    metrics = Held()
    recorder = Recorder(own.kafka, own.url, own.topics, decoding(CODEC, SystemClock()), "a", metrics)
    ended: list[BaseException] = []

    def run() -> None:
        try:
            recorder.run()
        except BaseException as error:  # noqa: BLE001 - looked at by the test's own thread
            ended.append(error)

    thread = threading.Thread(target=run)
    group = f"{own.topics.prefix}.{GROUP}"
    with ExitStack() as ends:
        ends.callback(thread.join, 20)
        ends.callback(recorder.stop)
        ends.callback(metrics.released.set)
        thread.start()
        wait_for(lambda: bool(own.rows("SELECT epoch FROM ledger_claim")), "a claim")
        metrics.hold.set()
        assert metrics.idle.wait(PATIENCE)
        if moving:
            ends.callback(Member(own.kafka, group, "b", topics_recorded(own.topics)).close)
            time.sleep(5)
        ends.callback(Member(own.kafka, group, "a", topics_recorded(own.topics)).close)
        time.sleep(5)
        metrics.released.set()
        wait_for(lambda: bool(ended), "the end of the recorder")
    (error,) = ended
    assert isinstance(error, StageError)
    assert "another process has taken over this one's place" in str(error)

    def writers() -> list[str]:
        return [each.name for each in threading.enumerate() if each not in before and each.name == "writer"]

    wait_for(lambda: not writers(), "the end of its writer")


def test_a_recorder_that_is_given_nothing_of_what_is_there_ends(own: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever has become of its client: here, that its fetching stands."""
    monkeypatch.setattr("bus.standstill.ASK_SECONDS", 0.2)
    recorder = Recorder(own.kafka, own.url, own.topics, decoding(CODEC, SystemClock()), "a")
    ended: list[BaseException] = []

    def run() -> None:
        try:
            recorder.run()
        except BaseException as error:  # noqa: BLE001 - looked at by the test's own thread
            ended.append(error)

    thread = threading.Thread(target=run)
    topic = own.topics.input("inference")
    with ExitStack() as ends:
        ends.callback(thread.join, 20)
        ends.callback(recorder.stop)
        thread.start()
        wait_for(lambda: len(recorder._buffers) > 0, "its partitions")
        # With nothing to read it goes on.
        time.sleep(5)
        assert not ended
        recorder._consumer.pause([TopicPartition(*place) for place in recorder._buffers])
        with own.producer() as producer:
            producer.produce(topic, b"anything", partition=0)
        wait_for(lambda: bool(ended), "the end of the recorder")
    (error,) = ended
    assert isinstance(error, StageError)
    assert f"nothing has been read for 2 s although records wait ({topic}[0]: 1)" in str(error)
