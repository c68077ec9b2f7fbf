"""The pager watches the other stages, by the broker alone: told once, on record, through restarts and without it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from bus.topics import create_topics
from seamwatch.clock import SystemClock
from seamwatch.durations import SECOND
from seamwatch.errors import UsageError
from seamwatch.judging.model.facts import Measurement
from seamwatch.judging.records import measurement_record
from seamwatch.outages import Fault, begun
from seamwatch.paging import DELIVERED, Attempt, Page, Recipient
from seamwatch.settings import load_settings
from seamwatch.wire.topics import Topics
from stack.kafka.server import KafkaServer
from stack.local import LocalStack
from streams.page.lookout import Lookout
from streams.page.stage import page
from streams.page.watch import Limits, Sight
from streams.page.watching import Watching
from tests.sinks.estate import Estate, estate, everything
from tests.sinks.samples import CODEC, encoded
from tests.streams.page.on_a_thread import run_to_the_end
from tests.streams.page.publishing import person
from tests.streams.page.test_page import delivered
from tests.waiting import PATIENCE, wait_for

LIMITS = Limits(unwatched_after=4 * SECOND, behind_after=60 * SECOND)
OWNER = "owner@example.org"


@pytest.fixture
def own(kafka: str, clickhouse: str) -> Iterator[Estate]:
    with estate(kafka, clickhouse) as made:
        person(made, OWNER)
        yield made


class Pager:
    """The pager on a thread, whose channel is a list; ``deaf`` lets every delivery fail."""

    def __init__(self, kafka: str, topics: Topics) -> None:
        self.told: list[tuple[Recipient, Page]] = []
        self.beats = 0
        self.deaf = False
        self._error: BaseException | None = None
        self._started = threading.Event()
        self._stop: Callable[[], object] = lambda: None
        self._thread = threading.Thread(target=self._run, args=(kafka, topics), daemon=True)
        self._thread.start()
        assert self._started.wait(PATIENCE)

    @property
    def titles(self) -> list[str]:
        return [page.title for _, page in list(self.told)]

    def close(self) -> None:
        self._stop()
        self._thread.join(PATIENCE)
        assert self._error is None

    def _run(self, kafka: str, topics: Topics) -> None:
        async def tell(
            recipient: Recipient, page: Page, only: Mapping[str, str | None] | None = None
        ) -> AsyncIterator[Attempt]:
            if not self.deaf:
                self.told.append((recipient, page))
            yield Attempt("list", SystemClock().now(), "failed: deaf" if self.deaf else DELIVERED)

        async def beat() -> None:
            self.beats += 1

        async def main() -> None:
            stop, loop = asyncio.Event(), asyncio.get_running_loop()
            self._stop = lambda: loop.call_soon_threadsafe(stop.set)
            self._started.set()
            watching = Watching(LIMITS, OWNER, beat, 0.5)
            await page(kafka, topics, SystemClock(), tell, stop, watching=watching)

        try:
            run_to_the_end(main())
        except BaseException as error:  # noqa: BLE001 - shown by the test's own thread
            self._error = error


@contextmanager
def paging(kafka: str, topics: Topics) -> Iterator[Pager]:
    pager = Pager(kafka, topics)
    try:
        yield pager
    finally:
        pager.close()


class Measuring:
    """Produces measurements, as measure does, and reads them, as judge does, while it runs."""

    def __init__(self, own: Estate) -> None:
        self._own = own
        self._stop = threading.Event()
        self.judging = True
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(PATIENCE)

    def _run(self) -> None:
        producer, count = self._own.producer(), 0
        value = CODEC.encode("measurement", measurement_record(Measurement(SystemClock().now()), CODEC))
        judge = Consumer({"bootstrap.servers": self._own.kafka, "group.id": f"{self._own.topics.prefix}.judge"})
        while not self._stop.wait(0.2):
            producer.produce(self._own.topics.measurement, value, partition=0)
            producer.flush(PATIENCE)
            count += 1
            if self.judging:
                judge.commit(offsets=[TopicPartition(self._own.topics.measurement, 0, count)], asynchronous=False)
        judge.close()


def outages(kafka: str, topics: Topics) -> list[dict[str, Any]]:
    found = everything(kafka, [topics.outage])
    return [CODEC.decode("outage", value) for value in found.values() if value is not None]


def test_a_silence_of_measure_is_told_once_through_a_restart_and_over_when_it_is(own: Estate) -> None:
    measuring = Measuring(own)
    try:
        with paging(own.kafka, own.topics) as first:
            wait_for(lambda: first.beats > 0, "a sign of life")
            measuring.close()
            wait_for(lambda: first.titles == ["OUTAGE measure: unwatched"], "telling")
            wait_for(lambda: len(delivered(own)) == 1, "the record of it")
        (recipient, page) = first.told[0]
        assert recipient.id == OWNER
        assert "Nothing has been watched since" in page.body
        with paging(own.kafka, own.topics) as second:
            wait_for(lambda: second.beats > 0, "a sign of life")
            time.sleep(2 * LIMITS.unwatched_after / SECOND)  # it is seen again, and known
            assert second.titles == []
            measuring = Measuring(own)
            wait_for(lambda: second.titles == ["OVER measure: unwatched"], "the end")
            wait_for(lambda: len(delivered(own)) == 2, "the record of it")
    finally:
        measuring.close()
    told = sorted(outages(own.kafka, own.topics), key=lambda outage: str(outage["state"]))
    assert [(outage["fault"], outage["stage"], outage["state"], outage["person"]) for outage in told] == [
        ("unwatched", "measure", "open", OWNER), ("unwatched", "measure", "over", OWNER),
    ]  # fmt: skip
    assert len({outage["outage_id"] for outage in told}) == 1
    assert delivered(own) == {(str(told[0]["outage_id"]), step) for step in (0, 1)}


def test_a_judge_that_reads_no_more_is_told_while_measurements_come(own: Estate) -> None:
    measuring = Measuring(own)
    try:
        with paging(own.kafka, own.topics) as pager:
            wait_for(lambda: pager.beats > 0, "a sign of life")
            measuring.judging = False
            wait_for(lambda: "OUTAGE judge: stalled" in pager.titles, "telling")
            assert "judge stage has stood still" in pager.told[-1][1].body
            assert "OUTAGE measure: unwatched" not in pager.titles
    finally:
        measuring.close()


def test_what_nobody_could_be_told_of_keeps_the_sign_of_life_back(own: Estate) -> None:
    with paging(own.kafka, own.topics) as pager:
        pager.deaf = True
        wait_for(lambda: bool(outages(own.kafka, own.topics)), "the outage")
        wait_for(lambda: _stands(pager), "no more signs of life")
        pager.deaf = False
        wait_for(lambda: pager.titles == ["OUTAGE measure: unwatched"], "telling")
        before = pager.beats
        wait_for(lambda: pager.beats > before, "signs of life again")


def _stands(pager: Pager) -> bool:
    before = pager.beats
    time.sleep(3)
    return pager.beats == before


def test_markers_of_transactions_are_nothing_that_waits_and_a_record_is(own: Estate) -> None:
    producer = own.producer(**{"transactional.id": "t"})
    producer.init_transactions(20)
    topic = own.topics.input("inference")
    for ends in (producer.commit_transaction, producer.abort_transaction, producer.commit_transaction):
        producer.begin_transaction()
        producer.produce(topic, encoded(number=1), partition=0)
        assert producer.flush(PATIENCE) == 0  # an aborted record too is to have its offset
        ends(20)
    lookout = Lookout(own.kafka, own.topics)
    group = Consumer({"bootstrap.servers": own.kafka, "group.id": f"{own.topics.prefix}.measure"})
    try:
        # Record, marker, aborted record, marker, record, marker.
        seen = {}
        for position in (0, 1, 4, 5, 6):
            group.commit(offsets=[TopicPartition(topic, 0, position)], asynchronous=False)
            waiting = lookout.look().stages["measure"].waiting
            seen[position] = waiting.get((topic, 0))
        assert [position for position, waits in seen.items() if waits is not None] == [0, 1, 4]
        now = SystemClock().now()
        assert all(
            waits.since is not None and now - 60 * SECOND < waits.since <= now for waits in seen.values() if waits
        )
    finally:
        group.close()
        lookout.close()


def test_the_broker_itself_is_missed_told_directly_and_made_up_for(tmp_path: Path) -> None:
    settings = load_settings(data=tmp_path).model_copy(update={"kafka": None, "clickhouse": "http://127.0.0.1:9"})
    stack = LocalStack(tmp_path, settings)
    addresses = stack.start()
    try:
        topics = Topics("away")
        create_topics(addresses.kafka, topics.prefix, 1)
        estate = Estate(addresses.kafka, addresses.clickhouse, topics)
        person(estate, OWNER)
        (server,) = stack.servers
        assert isinstance(server, KafkaServer)
        with paging(addresses.kafka, topics) as pager:
            wait_for(lambda: pager.titles == ["OUTAGE measure: unwatched"], "joining the group")
            assert server.process is not None
            server.process.kill()
            server.process.wait(PATIENCE)
            wait_for(lambda: pager.titles[1:] == ["OUTAGE broker: unreachable"], "telling without a broker")
            server.start()
            server.wait()
            wait_for(lambda: "OVER broker: unreachable" in pager.titles, "the end")
            wait_for(lambda: len([key for key in delivered(estate) if "unreachable" in key[0]]) == 2, "the record")
        assert pager.titles.count("OUTAGE broker: unreachable") == 1
        states = [each["state"] for each in outages(addresses.kafka, topics) if each["fault"] == "unreachable"]
        assert states == ["open", "over"]
    finally:
        stack.stop()


def test_a_broker_that_does_not_know_its_groups_yet_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([KafkaException(KafkaError(KafkaError.COORDINATOR_LOAD_IN_PROGRESS)), Sight(1, None, {})])

    class View:
        def __init__(self, *_arguments: object) -> None: ...

        def look(self) -> object:
            if isinstance(answer := next(answers), Exception):
                raise answer
            return answer

        def close(self) -> None: ...

    monkeypatch.setattr("streams.page.lookout._View", View)
    assert Lookout("127.0.0.1:1", Topics("t")).look() == Sight(1, None, {})


def test_what_is_said_twice_is_told_once(own: Estate) -> None:
    outage = begun(Fault("behind", "record", SystemClock().now(), 3), SystemClock().now(), OWNER)
    producer = own.producer()

    def say() -> None:
        value = CODEC.encode("outage", asdict(replace(outage)))
        producer.produce(own.topics.outage, value, key=outage.outage_id.encode())
        assert producer.flush(PATIENCE) == 0

    say()
    with paging(own.kafka, own.topics) as pager:
        wait_for(lambda: "OUTAGE record: behind" in pager.titles, "telling")
        wait_for(lambda: any("behind" in key[0] for key in delivered(own)), "the record of it")
        say()
        time.sleep(4)
        assert pager.titles.count("OUTAGE record: behind") == 1


def test_a_default_owner_whom_no_document_knows_is_refused_at_the_start(own: Estate) -> None:
    async def main() -> None:
        async def nobody(
            recipient: Recipient, page: Page, only: Mapping[str, str | None] | None = None
        ) -> AsyncIterator[Attempt]:
            yield Attempt(recipient.id, 0, page.title)

        watching = Watching(LIMITS, "ghost@example.org")
        await page(own.kafka, own.topics, SystemClock(), nobody, asyncio.Event(), watching=watching)

    with pytest.raises(UsageError, match=r"SEAMWATCH_DEFAULT_OWNER=ghost@example\.org: no published Person document"):
        run_to_the_end(main())
