"""The transactional loop that measure and judge stand on: consume, compute, produce, commit, in one Kafka transaction.

What it promises, given a broker that keeps what it acknowledged:

- **Exactly once.** Outputs, state records and input offsets of a round become visible together or not at all to
  readers with ``isolation.level=read_committed``. A process that is killed at any instant leaves at most an open
  transaction, which its successor (same instance) or the transaction time-out aborts.
- **One owner.** A round commits only with the group's present generation: a process that lost its partitions while
  it was away is refused by the broker, and ends.
- **No skipping.** A partition without a committed offset is read from its beginning; one whose committed offset no
  longer exists stops the loop, rather than jump.
- **State follows ownership.** A stage is told what it was assigned before it sees a message of it, so that it can
  restore; it is told to forget before anybody else is assigned it. Messages gathered but not yet computed when
  partitions move are dropped, and read again by whoever owns them then.

It does not retry: on any error it ends, and the supervisor starts the stage again, which takes about a second.
It knows nothing of clauses, clocks or record types.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)

from seamwatch.errors import StageError
from streams.batch import Batch, Partition, Run, split
from streams.errors import kafka_error, too_large

log = structlog.get_logger(__name__)

ANY_PARTITION = -1
CHUNK = 10_000
IDLE_SECONDS = 0.05
KAFKA_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Output:
    """A record to produce. ``partition`` None leaves the choice to the partitioner (murmur2 of the key)."""

    topic: str
    value: bytes | None
    key: bytes | None = None
    partition: int | None = None


class Stage(Protocol):
    """What the loop drives. Nothing here may block for longer than the session time-out (10 s)."""

    def assigned(self, positions: Mapping[Partition, int | None]) -> None:
        """These partitions are ours now, to be read from these offsets (None: the beginning). Restore their state."""
        ...

    def forget(self) -> None:
        """No partition is ours any more. Drop their state."""
        ...

    def due(self) -> bool:
        """Whether a round is wanted although no message has come."""
        ...

    def compute(self, batch: Batch) -> Sequence[Output]:
        """What one round produces. Called once for each message; the outputs are committed with its offset."""
        ...


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """Where and how a loop runs.

    ``instance`` names this process within the group: unique among those that run, and the same after a restart, so
    that the group waits for it instead of moving its partitions. ``linger`` is the longest time in seconds between
    the first message of a round and its computing, ``largest`` the number of messages that ends it sooner.
    ``client`` is added to every client's configuration (security, say).
    """

    bootstrap: str
    group: str
    instance: str
    topics: tuple[str, ...]
    linger: float = 0.2
    largest: int = 50_000
    client: Mapping[str, str | int | float | bool] = field(default_factory=dict)


class Loop:
    """One consumer, one transactional producer, one stage."""

    def __init__(self, settings: LoopSettings, stage: Stage) -> None:
        self._settings = settings
        self._stage = stage
        self._stop = threading.Event()
        self._moved = False
        self._assigned: tuple[Partition, ...] = ()
        self._positions: dict[Partition, int] = {}
        self._consumer = Consumer(consumer_configuration(settings))
        self._refused: StageError | None = None
        self._producer = Producer({**producer_configuration(settings), "on_delivery": self._on_failure})

    def stop(self) -> None:
        """End after the round in progress; safe from a signal handler or another thread."""
        self._stop.set()

    def run(self) -> None:
        """Run until `stop`. Raises StageError or UnreachableError when it cannot go on."""
        doing = "joining the group"
        try:
            self._producer.init_transactions(30.0)
            self._consumer.subscribe(
                list(self._settings.topics),
                on_assign=self._on_assign,
                on_revoke=self._on_revoke,
                on_lost=self._on_revoke,
            )
            while not self._stop.is_set():
                doing = "reading"
                batch = self._gather()
                if len(batch) or self._stage.due():
                    doing = "committing a round"
                    self._commit(batch)
            doing = "leaving the group"
            self._consumer.close()
        except KafkaException as error:
            # A record that the broker refused says more than that its transaction cannot go on.
            self._producer.poll(0)
            raise self._refused or kafka_error(
                error, f"{self._settings.group}: {doing}", self._settings.bootstrap
            ) from error

    def _gather(self) -> Batch:
        runs: list[Run] = []
        size, until = 0, 0.0
        while not self._stop.is_set():
            wait = min(IDLE_SECONDS, max(until - time.monotonic(), 0.0)) if runs else IDLE_SECONDS
            messages = self._consumer.consume(min(CHUNK, self._settings.largest - size), wait)
            if self._moved:
                # What was gathered under the old assignment is not ours to commit; it will be read again.
                self._take_up()
                runs, size = [], 0
                continue
            if messages:
                found = self._accept(messages)
                if found and not runs:
                    until = time.monotonic() + self._settings.linger
                runs += found
                size += sum(len(run.messages) for run in found)
            if size >= self._settings.largest or (runs and time.monotonic() >= until):
                break
            if not runs and self._stage.due():
                break
        return Batch(tuple(runs) if not self._stop.is_set() else (), dict(self._positions))

    def _accept(self, messages: list[Message]) -> list[Run]:
        runs, ends = split(messages)
        for run in runs:
            first, last = run.messages[0].offset(), run.messages[-1].offset()
            assert first is not None
            assert last is not None
            expected = self._positions.get(run.key)
            if run.key not in self._assigned or (expected is not None and first < expected):
                raise StageError(f"{run.topic}[{run.partition}]: offset {first} came where {expected} was due")
            self._positions[run.key] = last + 1
        for partition, end in ends.items():
            self._positions[partition] = max(end, self._positions.get(partition, 0))
        return runs

    def _commit(self, batch: Batch) -> None:
        outputs = self._stage.compute(batch)
        if not outputs and not len(batch):
            return
        self._producer.begin_transaction()
        for output in outputs:
            self._produce(output)
        offsets = [TopicPartition(topic, number, offset) for (topic, number), offset in batch.next_offsets().items()]
        if offsets:
            self._producer.send_offsets_to_transaction(offsets, self._consumer.consumer_group_metadata(), KAFKA_SECONDS)
        self._producer.commit_transaction(KAFKA_SECONDS)

    def _produce(self, output: Output) -> None:
        partition = ANY_PARTITION if output.partition is None else output.partition
        while True:
            try:
                self._producer.produce(output.topic, output.value, output.key, partition)
            except BufferError:
                self._producer.poll(0.1)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.MSG_SIZE_TOO_LARGE:
                    raise
                raise too_large(output.topic, output.key, len(output.value or b"")) from error
            else:
                return

    def _on_failure(self, error: KafkaError | None, message: Message) -> None:
        """Called for records that could not be delivered alone."""
        if error is not None and error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            self._refused = too_large(message.topic() or "", message.key(), len(message))

    # Called by the consumer from within `consume`; the work is left to `_take_up`, which may raise and take its time.

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.assign([])
        self._assigned = tuple((p.topic, p.partition) for p in partitions)
        self._moved = True

    def _on_revoke(self, consumer: Consumer, _partitions: list[TopicPartition]) -> None:
        consumer.unassign()
        self._assigned = ()
        self._moved = True

    def _take_up(self) -> None:
        self._moved = False
        self._stage.forget()
        self._positions = {}
        if not self._assigned:
            return
        asked = [TopicPartition(topic, number) for topic, number in self._assigned]
        start: dict[Partition, int | None] = {}
        for found in self._consumer.committed(asked, KAFKA_SECONDS):
            if found.error is not None:
                raise KafkaException(found.error)
            start[found.topic, found.partition] = found.offset if found.offset >= 0 else None
        self._stage.assigned(start)
        self._positions = {key: offset for key, offset in start.items() if offset is not None}
        self._consumer.assign(
            [TopicPartition(t, p, OFFSET_BEGINNING if at is None else at) for (t, p), at in start.items()]
        )
        log.info("assigned", group=self._settings.group, partitions=len(start))


def stop_on_signals(loop: Loop) -> None:
    """Let SIGTERM and SIGINT stop the loop after its round; to be called from the main thread."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.stop())


def consumer_configuration(settings: LoopSettings) -> dict[str, str | int | float | bool]:
    """The consumer's configuration: why each value is there is written in docs/operations.md."""
    return {
        **settings.client,
        "bootstrap.servers": settings.bootstrap,
        "group.id": settings.group,
        "group.instance.id": f"{settings.group}-{settings.instance}",
        "partition.assignment.strategy": "range",
        "session.timeout.ms": 10_000,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "isolation.level": "read_committed",
        # Positions are always given, the beginning included; only one that is gone asks for a reset.
        "auto.offset.reset": "error",
        "enable.partition.eof": True,
        "fetch.queue.backoff.ms": 0,
        "fetch.message.max.bytes": 8 << 20,
        "queued.min.messages": 1_000_000,
        "queued.max.messages.kbytes": 256 << 10,
    }


def producer_configuration(settings: LoopSettings) -> dict[str, str | int | float | bool]:
    """The transactional producer's configuration."""
    return {
        **settings.client,
        "bootstrap.servers": settings.bootstrap,
        "transactional.id": f"{settings.group}-{settings.instance}",
        "transaction.timeout.ms": 10_000,
        "partitioner": "murmur2_random",
        "delivery.report.only.error": True,
        "message.max.bytes": 4 << 20,
        "compression.type": "lz4",
        "linger.ms": 0,
        "retry.backoff.ms": 5,
    }
