"""What the tests of the record and the pager need of a broker and a store: topics and a database of their own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from bus import clients
from bus.reading import take
from seamwatch.clauses import kinds
from seamwatch.errors import UnreachableError
from seamwatch.wire.topics import Topics
from sinks.ledger.rows import tables_with
from sinks.record.stage import topics_recorded
from sinks.store.client import Store
from tests.databases import at, migrated
from tests.sinks.mixed import Sent
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Estate:
    """Topics under a prefix of their own and a migrated database of the same name, which is made when it is asked for.

    ``server`` is the URL of the store's writer, with whatever database.
    """

    kafka: str
    server: str
    topics: Topics
    _asked: threading.local = field(default_factory=threading.local, repr=False, compare=False)
    _making: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)
    _made: list[str] = field(default_factory=list, repr=False, compare=False)

    @property
    def url(self) -> str:
        """The URL of the database. Most tests of the pager never ask for one."""
        with self._making:
            if not self._made:
                url = at(self.server, self.topics.prefix)
                migrated(url)
                self._made.append(url)
            return self._made[0]

    @property
    def environment(self) -> dict[str, str]:
        """What a stage of this estate is started with."""
        return {
            **os.environ,
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka,
            "CLICKHOUSE_URL": self.url,
            "SEAMWATCH_PREFIX": self.topics.prefix,
            "PYTHONPATH": str(ROOT),
        }

    def producer(self, **settings: Any) -> Producer:
        return Producer({"bootstrap.servers": self.kafka, "linger.ms": 5, "acks": "all", **settings})

    def send(self, sent: Iterable[Sent]) -> int:
        """Send messages to their topic partitions, and wait until the broker has them; how many they were."""
        producer, count, failures = self.producer(), 0, list[str]()
        for each in sent:
            producer.produce(
                each.topic,
                each.value,
                key=each.key,
                partition=each.partition,
                headers=each.headers or None,
                on_delivery=lambda error, of: failures.append(f"{of.topic()}: {error}") if error is not None else None,
            )
            count += 1
        assert producer.flush(PATIENCE) == 0
        assert failures == []
        return count

    def store(self) -> Store:
        return Store(self.url)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The answer to a query, by a connection that each thread keeps: what is waited for is asked many times."""
        store: Store | None = getattr(self._asked, "store", None)
        if store is None:
            store = self._asked.store = self.store()
        try:
            return store.rows(sql)
        except UnreachableError:
            store.close()  # its server has been started anew, or is away; the next use connects again
            return store.rows(sql)

    def drop(self) -> None:
        """Drop the database, if it was made."""
        for url in self._made:
            with Store(url, database="default") as store:
                store.command(f"DROP DATABASE IF EXISTS {self.topics.prefix}")

    def hang_up(self) -> None:
        """Close this thread's connection."""
        store: Store | None = getattr(self._asked, "store", None)
        if store is not None:
            store.close()
            self._asked.store = None


@contextmanager
def estate(kafka: str, clickhouse: str, partitions: int = 2) -> Iterator[Estate]:
    name = f"t_{uuid.uuid4().hex[:10]}"
    topics = Topics(name)
    admin = AdminClient({"bootstrap.servers": kafka, "log_level": 3})
    specs = topics.specs(kinds(), partitions)
    for future in admin.create_topics([NewTopic(s.name, s.partitions, 1, config=s.settings) for s in specs]).values():
        future.result(PATIENCE)
    made = Estate(kafka, clickhouse, topics)
    try:
        yield made
    finally:
        made.hang_up()
        admin.delete_topics([spec.name for spec in specs])
        made.drop()


def everything(kafka: str, names: list[str]) -> dict[tuple[str, int, int], bytes | None]:
    """Every committed record of these topics: its raw value by topic, partition and offset."""
    consumer = Consumer(
        {
            "bootstrap.servers": kafka,
            "group.id": f"everything-{uuid.uuid4()}",
            "enable.partition.eof": True,
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            **clients.TO_THE_ENDS,
        }
    )
    known = consumer.list_topics(timeout=PATIENCE).topics
    places = {(name, number) for name in names for number in known[name].partitions}
    consumer.assign([TopicPartition(*place, OFFSET_BEGINNING) for place in places])
    found: dict[tuple[str, int, int], bytes | None] = {}
    while places:
        for message in take(consumer, 10_000, 0.3):
            place = (message.topic() or "", message.partition() or 0)
            error = message.error()
            if error is None:
                found[(*place, message.offset() or 0)] = raw_value(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                places.discard(place)
    consumer.close()
    return found


def raw_value(message: Message) -> bytes | None:
    value = message.value()
    assert value is None or isinstance(value, bytes)
    return value


def stored(estate: Estate) -> dict[tuple[str, int, int], list[tuple[str, bytes | None]]]:
    """Every row of the record: table and raw bytes by topic, partition and offset."""
    found: dict[tuple[str, int, int], list[tuple[str, bytes | None]]] = {}
    with estate.store() as store:
        for table in tables_with(store, "raw", "offset", "headers"):
            frame = store.frame(f"SELECT topic, partition, offset, hex(raw) AS raw FROM {table}")
            for topic, partition, offset, raw in frame.iter_rows():
                row = (_text(table), None if raw is None else bytes.fromhex(_text(raw)))
                found.setdefault((_text(topic), partition, offset), []).append(row)
    return found


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def assert_recorded(estate: Estate) -> None:
    """Each record of the topics is exactly one row of the store, with its bytes; and there is no other row."""
    topic = everything(estate.kafka, list(topics_recorded(estate.topics)))
    store = stored(estate)
    assert set(store) == set(topic)
    assert [place for place, rows in store.items() if len(rows) != 1] == []
    assert [place for place, rows in store.items() if rows[0][1] != topic[place]] == []


def committed(estate: Estate) -> int:
    return int(estate.rows("SELECT sum(count) AS c FROM ledger_commit")[0]["c"] or 0)


class Stage:
    """A stage in a process of its own, to be killed."""

    def __init__(self, code: str, environment: dict[str, str]) -> None:
        self._command = [sys.executable, "-c", code]
        self._environment = environment
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, env=self._environment, cwd=ROOT)

    def kill(self) -> None:
        """kill -9, and wait for it to be gone."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)

    def end(self) -> int:
        """SIGTERM; its exit code."""
        self.process.terminate()
        return self.process.wait(PATIENCE)


class Proxy:
    """Stands between a client and a server, to be cut: ``down`` refuses, ``cut_answers`` lets requests through but
    drops the connection before the answer, so that the client cannot know what became of them; ``longest_answers``
    drops it after so many bytes of them; ``delay`` slows each answer (seconds), so that there is time to be killed in
    between; ``asked`` counts what came of requests."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (str(parts.hostname), int(parts.port or 0))
        self._listener = socket.create_server(("127.0.0.1", 0))
        account = parts.netloc.rpartition("@")[0]
        here = f"{account}@127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = urlunsplit(parts._replace(netloc=here))
        self.down = False
        self.cut_answers = 0
        self.cut = 0
        self.longest_answers: int | None = None
        self.delay = 0.0
        self.asked = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.down:
                client.close()
                continue
            try:
                server = socket.create_connection(self._target)
            except OSError:  # the server itself is away
                client.close()
                continue
            threading.Thread(target=self._pump, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, True), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        passed = 0
        try:
            while data := source.recv(65536):
                if answers and self.cut_answers > 0:
                    self.cut_answers -= 1
                    self.cut += 1
                    break
                if self.down:
                    break
                self.asked += not answers
                if answers and self.delay:
                    time.sleep(self.delay)
                if answers and self.longest_answers is not None and passed + len(data) > self.longest_answers:
                    sink.sendall(data[: self.longest_answers - passed])
                    break
                sink.sendall(data)
                passed += len(data)
        except OSError:
            pass
        finally:
            for end in (source, sink):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()
