"""The recorder: every record of the topics into the store, each exactly once, in a consumer group of its own.

    consume → runs of one topic partition → range → blocks (decoded in bulk) → writer's thread → store

The group says who records a topic partition, an epoch in the store makes it so, and what the store says was committed
is where it goes on; Kafka's committed offsets are kept only so that its tools can show the lag. A restart does the
open range again, with the same bounds. While the store is away the recorder reads ahead as far as its buffers reach,
then pauses; detection does not notice, and nothing is lost as long as the topics keep it. It judges nothing and
produces nothing.
"""

from __future__ import annotations

import gc
import logging
import signal
import socket
import time
from threading import Event, current_thread, main_thread
from typing import Any, Final
from uuid import uuid4

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition

from bus import clients
from bus.batches import PartitionMessages
from bus.partitions import Partition
from bus.standstill import Standstill
from seamwatch.broker import Address
from seamwatch.clauses import kinds
from seamwatch.errors import SeamwatchError, UsageError
from seamwatch.settings import Settings
from seamwatch.wire.codec import codec_of
from seamwatch.wire.fatal import Fatal
from seamwatch.wire.topics import Topics
from sinks.batches import Batch
from sinks.decoding import Decode, decoding
from sinks.ledger.format.keys import read_signer
from sinks.ledger.format.notes import SignerKey
from sinks.ledger.ledger import Ledger
from sinks.ledger.publishing import CheckpointTopic
from sinks.record.blocks import batch_of
from sinks.record.buffers import Cut, PartitionBuffer
from sinks.record.group_offsets import GroupOffsets
from sinks.record.lag import Lag
from sinks.record.metrics import Metrics
from sinks.record.repeats import Repeats
from sinks.record.rounds import is_no_longer_ours, reading_error, split
from sinks.record.writer import PendingBatch, Writer
from sinks.store.client import Store
from sinks.store.fencing import Epoch, take_epoch
from sinks.store.positions import positions
from sinks.store.retries import Patience, until_it_works

_log = structlog.get_logger("sinks.record.stage")

GROUP: Final = "record"
ROUND_ROWS: Final = 100_000
ROUND_BYTES: Final = 64 * 1024 * 1024
BUFFER_ROWS: Final = 200_000
BUFFER_BYTES: Final = 256 * 1024 * 1024
FLUSH_SECONDS: Final = 1.0
PAUSE_SECONDS: Final = 5.0
STOP_SECONDS: Final = 8.0
TAKE_UP_SECONDS: Final = 30.0
"""How long one question of a take-up may take: in the meantime nobody tells the group that this process lives."""


def topics_recorded(topics: Topics) -> tuple[str, ...]:
    """The topics that are recorded, of every clause kind."""
    return topics.recorded(kinds())


def consumer_settings(group: str, instance: str) -> dict[str, Any]:
    """How the recorder reads; docs/performance.md has what each of the sizes is worth."""
    return {
        "group.id": group,
        "group.instance.id": f"{group}-{instance}",
        "client.id": f"{group}-{instance}",
        "session.timeout.ms": 10_000,
        "partition.assignment.strategy": "range",
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        # Every partition is assigned with a position; one that no longer exists must stop us, not move us.
        "auto.offset.reset": "error",
        "enable.partition.eof": True,
        "fetch.queue.backoff.ms": 0,
        "fetch.message.max.bytes": 8 * 1024 * 1024,
        "queued.min.messages": 1_000_000,
        "queued.max.messages.kbytes": 128 * 1024,
        "topic.metadata.refresh.interval.ms": 10_000,
        "log_level": 3,
        # While the broker is away the client says so many times a second: our log says it now and then.
        "logger": logging.getLogger("librdkafka"),
    }


class Recorder:
    """One process's share of the record."""

    def __init__(
        self,
        bootstrap: Address,
        store_url: str,
        topics: Topics,
        decode: Decode,
        instance: str = "0",
        metrics: Metrics | None = None,
        key: SignerKey | None = None,
    ) -> None:
        self._topics = topics
        self._decode = decode
        self._store_url = store_url
        self._name = f"{GROUP}-{instance}/{uuid4().hex[:8]}"  # another run of this process is another recorder
        self._stop = Event()
        self._given_up = Event()
        self._epoch = Epoch(0, self._name)
        self._buffers: dict[Partition, PartitionBuffer] = {}
        self._recorded: dict[Partition, int] = {}
        self._coming: list[Partition] = []
        self._moved = False
        self._patience = Patience()
        self._paused = False
        self._full_since: float | None = None
        self._metrics = metrics or Metrics()
        self._lag = Lag(bootstrap, self._metrics)
        self._fatal = Fatal()
        settings = consumer_settings(f"{topics.prefix}.{GROUP}", instance)
        self._offsets = GroupOffsets()
        self._consumer = clients.consumer(
            bootstrap, {**settings, **self._fatal.configuration(), **self._offsets.configuration()}
        )
        self._held: tuple[Partition, ...] | None = None
        self._standstill = Standstill(lambda: clients.admin(bootstrap))
        self._checkpoints = CheckpointTopic(bootstrap, topics)
        self._ledger = Ledger(key, self._checkpoints)
        self._writer = Writer(store_url, self._given_up, self._metrics, self._ledger, Repeats(topics))

    def stop(self) -> None:
        """Ask ``run`` to commit what it has read and return; from any thread or signal handler."""
        self._stop.set()

    def run(self) -> None:
        """Record until ``stop``. Raises what reading or writing cannot go on after; nothing is lost by a restart."""
        names = list(topics_recorded(self._topics))
        self._consumer.subscribe(names, on_assign=self._assigned, on_revoke=self._revoked)
        try:
            while not self._stop.is_set():
                self._writer.check()
                # First of all: a consumer that is over says so once, perhaps together with that its partitions moved.
                runs, ends = split(self._read())
                self._fatal.check()
                if self._moved:
                    self._take_up()
                    continue
                self._take(runs, ends)
                if self._is_due() and self._writer.has_room:
                    self._hand_over()
                self._note_done()
                self._heed_others()
                self._demand_reading()
                self._show()
            self._finish()
        except KafkaException as error:
            raise reading_error(error.args[0], "the recorder's topics") from error
        finally:
            self._given_up.set()
            self._consumer.close()

    def _read(self) -> list[Message]:
        if self._rows() < BUFFER_ROWS and self._bytes() < BUFFER_BYTES:
            self._full_since = None
            if self._paused:
                self._consumer.resume(self._consumer.assignment())
                self._paused = False
            return self._consumer.consume(10_000, 0.05)
        now = time.monotonic()
        self._metrics.paused.inc(now - (self._full_since or now))
        self._full_since = self._full_since or now
        if now - self._full_since < PAUSE_SECONDS:
            # A short wait for the writer; pausing would throw away what the client has fetched ahead.
            time.sleep(0.01)
            return []
        if not self._paused:
            _log.warning("the store is behind, reading is paused", rows=self._rows(), bytes=self._bytes())
            self._consumer.pause(self._consumer.assignment())
            self._paused = True
        # Paused, it is still to be called: that is how the group knows that this process lives.
        return self._consumer.consume(10_000, 0.1)

    def _take(self, runs: list[PartitionMessages], ends: dict[Partition, int]) -> None:
        for run in runs:
            if (buffer := self._buffers.get(run.key)) is not None:
                buffer.add(run.messages)
        for place, end in ends.items():
            if (buffer := self._buffers.get(place)) is not None:
                buffer.end = end

    def _rows(self) -> int:
        return sum(len(buffer) for buffer in self._buffers.values())

    def _bytes(self) -> int:
        return sum(buffer.bytes for buffer in self._buffers.values())

    def _is_due(self) -> bool:
        waiting = [buffer.since for buffer in self._buffers.values() if buffer.is_ready]
        return bool(waiting) and (
            self._rows() >= ROUND_ROWS
            or self._bytes() >= ROUND_BYTES
            or time.monotonic() - min(waiting) >= FLUSH_SECONDS
        )

    def _hand_over(self) -> None:
        """Make a round of what has been read, oldest first, and give it to the writer."""
        entries: list[PendingBatch] = []
        rows = size = 0
        ready = [buffer for buffer in self._buffers.values() if buffer.is_ready]
        for buffer in sorted(ready, key=lambda buffer: buffer.since):
            if entries and (rows >= ROUND_ROWS or size >= ROUND_BYTES):
                break
            cut = buffer.cut(ROUND_ROWS - rows if entries else ROUND_ROWS, ROUND_BYTES)
            batch = self._batch(cut)
            entries.append(PendingBatch(batch, self._epoch, cut.repeated))
            rows, size = rows + len(cut.run.messages), size + cut.bytes
        if entries and not self._writer.submit(entries):
            raise AssertionError("a round was made without room for it")

    def _batch(self, cut: Cut) -> Batch:
        # A registry that is away is waited for: what it would have explained must not become a dead letter.
        return until_it_works(self._stop)(
            lambda: batch_of(cut.run, cut.first_offset, cut.next_offset, self._topics, self._decode)
        )

    def _note_done(self) -> None:
        done = {extent.place: extent.next_offset for extent in self._writer.done() if extent.place in self._buffers}
        self._recorded |= done
        self._offsets.owe(done)
        self._offsets.commit(self._consumer)

    def _heed_others(self) -> None:
        """Where another recorder has claimed what this one holds, ask the group which of the two is right.

        The group's coordinator refuses the offsets of a process that it has put out. One that it accepts takes an epoch
        again: then the other was the late one, and is told the same way.
        """
        lost = {place for place, epoch in self._writer.superseded() if epoch == self._epoch and place in self._buffers}
        if not lost:
            return
        self._metrics.superseded.inc(len(lost))
        held, self._buffers = list(self._buffers), {}
        self._consumer.assign([])
        try:
            self._consumer.commit(
                offsets=[TopicPartition(*place, self._recorded.get(place, 0)) for place in held], asynchronous=False
            )
        except KafkaException as error:
            if not is_no_longer_ours(error.args[0]):
                raise
            self._held = None
            self._standstill.moved()
            _log.warning("the group has given our partitions to others, waiting to be told ours", partitions=len(held))
        else:
            self._coming, self._moved = held, True

    def _demand_reading(self) -> None:
        """Raise StageError where nothing is read although something is there; what waits for the store does not."""
        if self._full_since is not None:
            self._standstill.moved()
            return
        self._standstill.look(self._held, {place: buffer.next for place, buffer in self._buffers.items()})

    def _show(self) -> None:
        self._metrics.buffered_rows.set(self._rows())
        self._metrics.buffered_bytes.set(self._bytes())
        self._lag.keep(self._buffers, self._recorded)

    def _finish(self) -> None:
        """Commit what has been read, as far as that can be done in time; the rest is read again at the next start."""
        until = time.monotonic() + STOP_SECONDS
        while any(buffer.is_ready for buffer in self._buffers.values()) and time.monotonic() < until:
            self._writer.check()
            if self._writer.has_room:
                self._hand_over()
            else:
                time.sleep(0.02)
        if not self._writer.close(max(0.1, until - time.monotonic())):
            _log.warning("stopped before the store had everything; the next start finishes it")
        self._checkpoints.close(1.0)
        self._note_done()

    # The callbacks come from within `consume`; what is slow or may fail is left to `_take_up`. Until then nothing is
    # assigned, so no message of the old assignment is taken for one of the new.

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.assign([])
        self._coming = [(partition.topic, partition.partition) for partition in partitions]
        self._held, self._moved = tuple(self._coming), True

    def _revoked(self, consumer: Consumer, _partitions: list[TopicPartition]) -> None:
        consumer.unassign()
        self._buffers, self._coming, self._held, self._moved = {}, [], None, True
        self._offsets.forget()
        # What is with the writer is committed before the next owner asks the store where to go on.
        if not self._writer.drain(STOP_SECONDS):
            _log.warning("partitions revoked while the store is away; their next owner repeats the open range")

    def _take_up(self) -> None:
        """Take an epoch for what the group assigned and go on where the store says, as soon as the store answers.

        One try a call: between them the group must hear that this process lives.
        """
        if not self._patience.is_over:
            return
        places = self._coming
        self._buffers, self._recorded = {}, {}
        self._lag.forget()
        self._offsets.forget()
        if places:
            try:
                with Store(self._store_url, timeout=TAKE_UP_SECONDS) as store:
                    # In this order: nothing that an older epoch's owner begins later counts any more.
                    self._epoch = take_epoch(store, places, self._name)
                    known = positions(store, {topic for topic, _ in places})
                    self._ledger.publish_again(store, places)
            except SeamwatchError as error:
                self._patience.have(error)
                return
            self._buffers = {place: PartitionBuffer(*place, known.get(place)) for place in places}
        self._moved, self._paused, self._full_since = False, False, None
        self._standstill.moved()
        self._patience = Patience()
        if not self._buffers:
            return
        self._writer.expect({place: buffer.size for place, buffer in self._buffers.items()}, self._epoch)
        start = {place: buffer.position for place, buffer in self._buffers.items()}
        self._writer.take_up({place: at or 0 for place, at in start.items()})
        self._recorded = {place: at for place, at in start.items() if at is not None}
        self._offsets.owe(self._recorded)
        self._consumer.assign(
            [TopicPartition(*place, OFFSET_BEGINNING if at is None else at) for place, at in start.items()]
        )
        repeated = [str(buffer.intent) for buffer in self._buffers.values() if buffer.intent]
        _log.info("assigned", partitions=len(places), epoch=self._epoch.number, repeating=repeated)


def _signer(settings: Settings) -> SignerKey | None:
    if settings.ledger_key is None:
        _log.warning("nobody signs for the ledger: make a key and set SEAMWATCH_LEDGER_KEY (docs/ledger.md)")
        return None
    return read_signer(settings.ledger_key)


def run(settings: Settings) -> None:
    """Record until SIGTERM or SIGINT, by the settings. Raises UsageError where an address is missing."""
    broker = settings.broker()
    if broker is None or settings.clickhouse is None:
        raise UsageError("record needs KAFKA_BOOTSTRAP_SERVERS and CLICKHOUSE_URL")
    recorder = Recorder(
        broker,
        settings.clickhouse,
        Topics(settings.prefix),
        decoding(codec_of(settings), settings.clock()),
        settings.instance or socket.gethostname(),
        Metrics(settings.metrics_port, settings.metrics_host),
        _signer(settings),
    )
    # Batches of tens of thousands of short-lived objects make the collector run all the time: 15 % of the rate.
    gc.set_threshold(200_000, 20, 20)
    if current_thread() is main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: recorder.stop())
    recorder.run()
