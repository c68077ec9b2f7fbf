"""The transactional loop that measure and judge stand on: consume, compute, produce, commit, in one Kafka transaction.

What it promises, given a broker that keeps what it acknowledged:

- **Exactly once.** Outputs, state records and input offsets of a round become visible together or not at all to
  readers with ``isolation.level=read_committed``. A process that is killed at any instant leaves at most an open
  transaction, which its successor (same instance) or the transaction time-out aborts.
- **One owner.** A round commits only as the member, and in the generation, of the group that its partitions were
  assigned to, and with their positions, whether or not a message came: a process that lost its partitions while it was
  away is refused by the broker, and ends.
- **No skipping.** A partition without a committed offset is read from its beginning; one whose committed offset no
  longer exists stops the loop, rather than jump.
- **State follows ownership.** A stage is told what it was assigned before it sees a message of it, so that it can
  restore; it is told to forget before anybody else is assigned it. Messages gathered but not yet computed when
  partitions move are dropped, and read again by whoever owns them then.

It does not retry: on any error it ends, and the supervisor starts the stage again, which takes about a second. That a
client is over for good it learns by whatever way the client says so (`seamwatch.wire.fatal`); what should have ended it
and did not, by that nothing is read any more (`bus.standstill`).
It knows nothing of clauses, clocks or record types.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from bus import clients
from bus.batches import Batch, PartitionMessages, split
from bus.deadman import DeadMan
from bus.errors import kafka_error, too_large
from bus.loop_settings import LoopSettings, consumer_configuration, producer_configuration
from bus.partitions import Partition
from bus.standstill import Standstill
from seamwatch.errors import StageError
from seamwatch.wire.fatal import Fatal

log = structlog.get_logger(__name__)

ANY_PARTITION = -1
CHUNK = 10_000
IDLE_SECONDS = 0.05
KAFKA_SECONDS = 10.0
TAKE_UP_SECONDS = 30.0
"""How long committed positions are waited for: a transaction that was left open lives for 10 s, and may be found out
to be over 10 s after that."""
GRACE_SECONDS = 5.0
"""A call that takes so much longer than it was given does not keep to its time, and never may."""


@dataclass(frozen=True, slots=True)
class Output:
    """A record to produce. ``partition`` None leaves the choice to the partitioner (murmur2 of the key)."""

    topic: str
    value: bytes | None
    key: bytes | None = None
    partition: int | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


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


class Loop:
    """One consumer, one transactional producer, one stage."""

    def __init__(
        self,
        settings: LoopSettings,
        stage: Stage,
        show_lag: Callable[[Mapping[Partition, int]], None] = lambda _lag: None,
    ) -> None:
        """``show_lag`` is told every five seconds how many records are behind the position of each partition."""
        self._settings = settings
        self._stage = stage
        self._stop = threading.Event()
        self._moved = False
        self._assigned: tuple[Partition, ...] | None = None
        self._membership: Any = None
        self._positions: dict[Partition, int] = {}
        self._committed: dict[Partition, int] = {}
        self._refused: StageError | None = None
        self._fatal = (Fatal(), Fatal())
        configurations = [fatal.configuration() for fatal in self._fatal]
        self._consumer = clients.consumer(settings.broker, {**consumer_configuration(settings), **configurations[0]})
        self._producer = clients.producer(
            settings.broker, {**producer_configuration(settings), **configurations[1], "on_delivery": self._on_failure}
        )
        self._deadman = DeadMan(settings.group)
        self._standstill = Standstill(lambda: clients.admin(settings.broker, {"log_level": 3}), show_lag)

    def stop(self) -> None:
        """End after the round in progress; safe from a signal handler or another thread."""
        self._stop.set()

    def run(self) -> None:
        """Run until `stop`. Raises StageError or UnreachableError when it cannot go on."""
        doing = "joining the group"
        try:
            with self._deadman.within(TAKE_UP_SECONDS + GRACE_SECONDS, "taking over from who had its name before"):
                # Who has reached no broker yet asks for its coordinator again only half a second later. All topics are
                # asked for: one that is named and not there would be made.
                with suppress(KafkaException):
                    self._producer.list_topics(timeout=1.0)
                self._producer.init_transactions(TAKE_UP_SECONDS)
            self._consumer.subscribe(
                list(self._settings.topics),
                on_assign=self._on_assign,
                on_revoke=self._on_revoke,
                on_lost=self._on_revoke,
            )
            while not self._stop.is_set():
                doing = "reading"
                batch = self._gather()
                if batch is not None:
                    doing = "committing a round"
                    self._commit(batch)
            doing = "leaving the group"
            self._consumer.close()
        except KafkaException as error:
            # A record that the broker refused says more than that its transaction cannot go on. A producer that is over
            # for good, such as one that was fenced, raises whatever is asked of it.
            with suppress(KafkaException):
                self._producer.poll(0)
            raise self._refused or kafka_error(
                error, f"{self._settings.group}: {doing}", self._settings.broker
            ) from error

    def _gather(self) -> Batch | None:
        """The messages of the next round, none where it is due without; None when there is to be no round."""
        runs: list[PartitionMessages] = []
        size, until = 0, 0.0
        while not self._stop.is_set():
            wait = min(IDLE_SECONDS, max(until - time.monotonic(), 0.0)) if runs else IDLE_SECONDS
            messages = self._consumer.consume(min(CHUNK, self._settings.largest - size), wait)
            # First of all: a consumer that is over says so once, perhaps together with that its partitions moved.
            found, ends = split(messages)
            self._check()
            if self._moved:
                # What was gathered under the old assignment is not ours to commit; it will be read again.
                self._take_up()
                runs, size = [], 0
                continue
            if messages:
                self._accept(found, ends)
                if found and not runs:
                    until = time.monotonic() + self._settings.linger
                runs += found
                size += sum(len(run.messages) for run in found)
            if size >= self._settings.largest or (runs and time.monotonic() >= until):
                return Batch(tuple(runs), dict(self._positions))
            # As long as no position is known there is nothing that a round could be refused by.
            if not runs and self._positions and self._stage.due():
                return Batch((), dict(self._positions))
        # What has been gathered is not computed, and the positions are those after it: nothing of it may be told.
        return None

    def _check(self) -> None:
        """Raise what ends the loop although no call has failed."""
        self._producer.poll(0)
        for fatal in self._fatal:
            fatal.check()
        self._standstill.look(self._assigned, self._positions)

    def _accept(self, runs: list[PartitionMessages], ends: Mapping[Partition, int]) -> None:
        for run in runs:
            first, last = run.messages[0].offset(), run.messages[-1].offset()
            assert first is not None
            assert last is not None
            expected = self._positions.get(run.key)
            if run.key not in (self._assigned or ()) or (expected is not None and first < expected):
                raise StageError(f"{run.topic}[{run.partition}]: offset {first} came where {expected} was due")
            self._positions[run.key] = last + 1
        for partition, end in ends.items():
            self._positions[partition] = max(end, self._positions.get(partition, 0))

    def _commit(self, batch: Batch) -> None:
        outputs = self._stage.compute(batch)
        if not outputs and not len(batch):
            return
        self._producer.begin_transaction()
        for output in outputs:
            self._produce(output)
        # By the positions the broker knows whether they are still ours: all are sent where none has moved.
        moved = {key: at for key, at in batch.positions.items() if self._committed.get(key) != at} or batch.positions
        offsets = [TopicPartition(topic, number, at) for (topic, number), at in moved.items()]
        with self._deadman.within(2 * KAFKA_SECONDS + GRACE_SECONDS, "committing a round"):
            self._producer.send_offsets_to_transaction(offsets, self._membership, KAFKA_SECONDS)
            self._producer.commit_transaction(KAFKA_SECONDS)
        self._committed.update(moved)

    def _produce(self, output: Output) -> None:
        partition = ANY_PARTITION if output.partition is None else output.partition
        while True:
            try:
                self._producer.produce(
                    output.topic, output.value, output.key, partition, headers=list(output.headers) or None
                )
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
        # As of now: were it asked at the commit, it could be that of a later assignment, of which we have not heard.
        self._membership = consumer.consumer_group_metadata()
        self._moved = True

    def _on_revoke(self, consumer: Consumer, _partitions: list[TopicPartition]) -> None:
        consumer.unassign()
        self._assigned = None
        self._moved = True

    def _take_up(self) -> None:
        self._moved = False
        self._stage.forget()
        self._positions, self._committed = {}, {}
        self._standstill.moved()
        if not self._assigned:
            return
        asked = [TopicPartition(topic, number) for topic, number in self._assigned]
        start: dict[Partition, int | None] = {}
        with self._deadman.within(TAKE_UP_SECONDS + GRACE_SECONDS, "asking what was read before"):
            committed = self._consumer.committed(asked, TAKE_UP_SECONDS)
        for found in committed:
            if found.error is not None:
                raise KafkaException(found.error)
            start[found.topic, found.partition] = found.offset if found.offset >= 0 else None
        self._stage.assigned(start)
        self._positions = {key: offset for key, offset in start.items() if offset is not None}
        self._committed = dict(self._positions)
        self._consumer.assign(
            [TopicPartition(t, p, OFFSET_BEGINNING if at is None else at) for (t, p), at in start.items()]
        )
        log.info("assigned", group=self._settings.group, partitions=len(start))


def stop_on_signals(loop: Loop) -> None:
    """Let SIGTERM and SIGINT stop the loop after its round; to be called from the main thread."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.stop())
