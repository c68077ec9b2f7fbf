"""The sender when its Kafka client is over for good: it goes on with another, and loses nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from seamwatch.sdk.delivery import Delivery, Message
from seamwatch.sdk.sender import Sender
from seamwatch.sdk.spool import Spool
from tests.waiting import PATIENCE

FATAL = KafkaError(KafkaError._FATAL, "Fatal error: out of order sequence number", True)


class Client:
    """A producer that is over from its first message on, or one that delivers; ``says`` by what way it tells."""

    def __init__(self, says: str | None) -> None:
        self._says = says
        self._over = False
        self._reports: list[Callable[[], None]] = []

    def produce(self, topic: str, value: bytes, key: bytes, on_delivery: Callable[..., None]) -> None:
        if self._says == "produce":
            raise KafkaException(FATAL)
        self._over = self._says is not None
        if self._says == "delivery":
            self._reports.append(lambda: on_delivery(FATAL, None))
        if self._says is None:
            self._reports.append(lambda: on_delivery(None, _Sent()))

    def poll(self, _timeout: float) -> int:
        # As confluent-kafka does for a fatal error, at every call where ours is at its worst.
        if self._over and self._says == "poll":
            raise KafkaException(FATAL)
        reports, self._reports = self._reports, []
        for report in reports:
            report()
        return len(reports)

    def purge(self, *, blocking: bool = True) -> None:
        self._reports.clear()


class _Sent:
    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return 7

    def value(self) -> bytes:
        return b""


@pytest.mark.parametrize("says", ["poll", "produce", "delivery"])
def test_a_client_that_is_over_is_replaced_however_it_says_so(says: str, tmp_path: Path) -> None:
    made: list[Client] = []
    delivered: list[Delivery] = []

    def make() -> Any:
        made.append(Client(says if not made else None))
        return made[-1]

    sender = Sender(make, lambda: Spool(tmp_path, 1 << 20), 100, delivered.append, lambda: None)
    for number in range(5):
        sender.put(Message("t", b"k", b"v", str(number)))
    assert sender.flush(PATIENCE) == 0
    sender.stop(5)
    assert len(made) == 2
    assert list(dict.fromkeys(one.event_id for one in delivered)) == [str(number) for number in range(5)]


class Stubborn(Client):
    """Over from its first message on, and even what is to be thrown away it does not give up."""

    def purge(self, *, blocking: bool = True) -> None:
        raise KafkaException(FATAL)


def test_the_thread_outlives_a_client_that_cannot_be_given_up(tmp_path: Path) -> None:
    made: list[Client] = []

    def make() -> Any:
        made.append(Client(None) if made else Stubborn("produce"))
        return made[-1]

    delivered: list[Delivery] = []
    sender = Sender(make, lambda: Spool(tmp_path, 1 << 20), 100, delivered.append, lambda: None)
    sender.put(Message("t", b"k", b"v", "1"))
    assert sender.flush(PATIENCE) == 0
    sender.stop(5)
    assert [one.event_id for one in delivered] == ["1"]


@pytest.mark.parametrize("fails", ["prepare", "spool", "producer"])
def test_the_thread_outlives_whatever_fails_before_the_first_event(fails: str, tmp_path: Path) -> None:
    broken = {fails}

    def breaks(what: str) -> None:
        if what in broken:
            broken.discard(what)
            raise RuntimeError(f"{what} fails")

    def make() -> Any:
        breaks("producer")
        return Client(None)

    def spool() -> Spool:
        breaks("spool")
        return Spool(tmp_path, 1 << 20)

    delivered: list[Delivery] = []
    sender = Sender(make, spool, 100, delivered.append, lambda: breaks("prepare"), tmp_path)
    sender.put(Message("t", b"k", b"v", "1"))
    assert sender.flush(PATIENCE) == 0
    sender.stop(5)
    assert [one.event_id for one in delivered] == ["1"]
    assert not list(tmp_path.glob("*.tally"))
