"""The feed on a real broker: without the store, with records that cannot be read, and while the broker is away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from board.asking import Stores
from board.live.feed import Feed
from board.live.hub import Change, Hub
from board.live.open_episodes import Telling
from board.running import Shown
from bus import clients
from bus.topics import create_topics
from seamwatch.broker import Broker
from seamwatch.clock import SystemClock
from seamwatch.judging.records import violation_record
from seamwatch.settings import load_settings
from seamwatch.wire.topics import Topics
from stack.kafka.server import KafkaServer
from stack.local import LocalStack
from tests.sinks.samples import CODEC, violation
from tests.waiting import PATIENCE, wait_for

NO_STORE = "http://nobody:secret@127.0.0.1:9/nothing"
PAGE = {"violation_id": "v0001", "step": 0, "person": "ann", "channel": "json", "sent_at": 7, "result": "delivered"}


class Told(Hub):
    """Keeps what pages were told."""

    def __init__(self) -> None:
        super().__init__()
        self.changes_told: list[Change] = []

    def tell(self, change: Change) -> None:
        self.changes_told.append(change)
        super().tell(change)


@contextmanager
def following(kafka: str, prefix: str) -> Iterator[tuple[Feed, Told]]:
    shown = Shown(Broker(kafka), prefix, NO_STORE, NO_STORE)
    hub = Told()
    feed = Feed(shown, Stores(shown), CODEC, SystemClock(), hub)
    feed.start()
    try:
        yield feed, hub
    finally:
        feed.end()
        assert not feed.is_alive()


def send(kafka: str, records: Mapping[str, list[bytes]]) -> None:
    producer = clients.producer(Broker(kafka), {})
    for topic, values in records.items():
        for value in values:
            producer.produce(topic, value, key=b"k")
    assert producer.flush(PATIENCE) == 0


def state(number: int = 1, **fields: Any) -> bytes:
    return CODEC.encode("violation", violation_record(replace(violation(number), **fields)))


def test_what_is_open_is_followed_without_the_store(kafka: str, topics: str) -> None:
    create_topics(kafka, topics, 2)
    names = Topics(topics)
    send(kafka, {names.violations("freshness"): [state(1)], names.violations("rate"): [state(2, kind="rate")]})
    with following(kafka, topics) as (feed, hub):
        wait_for(lambda: feed.away_since is None, "it has not caught up")
        assert feed.episodes.followed.keys() == {"v0001", "v0002"}

        send(kafka, {names.page: [CODEC.encode("page", PAGE)]})
        wait_for(lambda: bool(feed.episodes.followed["v0001"].tellings), "the page")
        assert feed.episodes.followed["v0001"].tellings == (Telling(0, "ann", "json", "delivered", 7),)
        send(kafka, {names.violations("freshness"): [state(3)]})
        wait_for(lambda: Change("episodes", "v0003") in hub.changes_told, "the new one")
        send(kafka, {names.violations("freshness"): [state(3, state="resolved", resolved_at=9)]})
        wait_for(lambda: "v0003" not in feed.episodes.followed, "its end")
        wait_for(lambda: Change("episodes-recorded") in hub.changes_told, "that the store may have it")


def test_what_cannot_be_read_is_counted_and_the_rest_is_followed(kafka: str, topics: str) -> None:
    create_topics(kafka, topics, 1)
    names = Topics(topics)
    send(kafka, {names.violations("freshness"): [b"\xc3\x01 no record", state(1)], names.page: [b"", b"\x00\x00"]})
    with following(kafka, topics) as (feed, _):
        wait_for(lambda: feed.away_since is None, "it has not caught up")
        assert feed.episodes.followed.keys() == {"v0001"}
        assert feed.unread == 2, "an empty value is no record"


def test_a_broker_that_is_away_is_told_of_and_what_came_after_it_is_not_missed(tmp_path: Path) -> None:
    settings = load_settings(data=tmp_path).model_copy(update={"kafka": None, "clickhouse": "http://127.0.0.1:9"})
    stack = LocalStack(tmp_path, settings)
    kafka = stack.start().kafka
    try:
        create_topics(kafka, "board", 1)
        topic = Topics("board").violations("freshness")
        send(kafka, {topic: [state(1)]})
        (server,) = stack.servers
        assert isinstance(server, KafkaServer)
        with following(kafka, "board") as (feed, hub):
            wait_for(lambda: feed.away_since is None, "it has not caught up")
            assert server.process is not None
            server.process.kill()
            server.process.wait(PATIENCE)
            wait_for(lambda: feed.away_since is not None, "nobody was told that the broker is away")
            assert hub.changes_told[-1] == Change("state")
            assert feed.episodes.followed.keys() == {"v0001"}, "what was open is still shown"
            server.start()
            server.wait()
            send(kafka, {topic: [state(2)]})
            wait_for(lambda: feed.away_since is None and "v0002" in feed.episodes.followed, "it has not come back")
    finally:
        stack.stop()
