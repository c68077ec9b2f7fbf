"""The sender: one thread that moves messages from memory to the broker, and by way of the disk when it is away.

    memory ──► broker                    while all is well
    memory ──► spool ──► broker          from the first failed delivery until the spool is empty again

so that the order of messages is kept. What was on its way when a delivery failed goes to the spool in its order and
is sent again from there: at least once, with the same event_id, so that it counts once.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as Acknowledgement

from seamwatch.broker import Address, broker_at
from seamwatch.sdk.delivery import Delivery, Message, OnDelivery
from seamwatch.sdk.spool import Spool, SpoolFile
from seamwatch.sdk.tally import Tally, lost_by_the_dead

_log = logging.getLogger("seamwatch.sdk")

_BATCH = 1_000
_RETRY_SECONDS = 1.0
_ADOPT_SECONDS = 30.0
_IDLE_SECONDS = 1.0
_CROWDED = 1_000
_BREATH_SECONDS = 0.0001
"""A pause after each message made here while few wait, so that a caller's thread need not wait for the interpreter."""

Make = Callable[[], Message | None]
"""Makes a message in the sender's thread; None when it is not right, which it has said itself. Does not raise."""


class Sender:
    """Delivers messages in the background; ``put`` is all that a caller's thread does.

    ``make_producer`` gives a new Kafka producer; ``prepare`` is called in the thread before anything is sent.
    ``make_spool`` and ``tallies``, the folder of tallies, are None where nothing may be written to disk.
    """

    def __init__(
        self,
        make_producer: Callable[[], Producer],
        make_spool: Callable[[], Spool] | None,
        buffer: int,
        on_delivery: OnDelivery | None,
        prepare: Callable[[], None],
        tallies: Path | None = None,
    ) -> None:
        self._tallies = tallies
        self._tally = None if tallies is None else Tally(tallies)
        self._make_producer = make_producer
        self._make_spool = make_spool
        self._limit = buffer
        self._on_delivery = on_delivery
        self._prepare = prepare
        self._waiting: deque[Message | Make] = deque()
        self._flying: dict[int, Message] = {}
        self._sequence = 0
        self._spool: Spool | None = None
        self._draining: tuple[SpoolFile, int] | None = None
        self._drain_step = 1
        self._sent_of_spool = 0
        self._is_away = False
        self._retry_at = 0.0
        self._adopt_at = 0.0
        self._failed = False
        self._generation = 0
        self._wake = threading.Event()
        self._stopping = False
        self.accepted = self.delivered = self.spooled = self.dropped = self.in_spool = 0
        self.unmade = 0
        """Of those accepted, how many came to no message when they were made."""
        self.lost = 0
        """Of those that processes before this one accepted, how many went with them when they were killed."""
        self._thread = threading.Thread(target=self._run, name="seamwatch-emitter", daemon=True)
        self._thread.start()
        os.register_at_fork(after_in_child=partial(_let_go, weakref.ref(self)))

    @property
    def pending(self) -> int:
        """Messages that the broker does not have yet."""
        # Messages that are being drained are on their way and still in the spool: counted once.
        flying = 0 if self._draining else len(self._flying)
        return len(self._waiting) + flying + self.in_spool

    def put(self, message: Message | Make) -> None:
        """Take a message, or what makes it in its turn; when the buffer is full it is dropped, counted and logged."""
        if len(self._waiting) >= self._limit:
            self._drop(1, "the buffer is full")
            return
        self._waiting.append(message)
        # Counted after it is there to be seen, so that what is settled is never told too high.
        self.accepted += 1
        if self._tally is not None:
            self._tally.taken(self.accepted)
        self._wake.set()

    def flush(self, timeout: float, *, patient: bool = True) -> int:
        """Wait until nothing is pending, ``timeout`` seconds at most; returns what is.

        Without patience the wait ends as soon as the broker is known to be away and all is on disk.
        """
        end = time.monotonic() + timeout
        while self.pending and time.monotonic() < end and self._thread.is_alive():
            if not patient and self._is_away and self.pending == self.in_spool:
                break
            self._wake.set()
            time.sleep(0.005)
        return self.pending

    def stop(self, timeout: float) -> None:
        """End the thread; what is not delivered goes to the spool."""
        self._stopping = True
        self._wake.set()
        self._thread.join(timeout)

    def let_go(self) -> None:
        """Close this process's copies of the files of another process, whose they are; for a child after a fork."""
        if self._spool is not None:
            self._spool.let_go()
        if self._tally is not None:
            self._tally.let_go()

    def _run(self) -> None:
        self._begin()
        producer = self._new_producer()
        while not self._stopping and producer is not None:
            using = producer
            try:
                producer = self._turn(using)
            except KafkaException as error:
                # The client raises by itself only when it is over for good, and then does nothing for ever.
                self._fail(str(error))
            except Exception:  # noqa: BLE001
                # The thread must outlive whatever happens, or events would pile up in silence.
                _log.exception("delivery of events failed; trying again")
                time.sleep(_RETRY_SECONDS)
            self._settle()
        if producer is None:
            self._keep_waiting()
        else:
            self._abandon(producer)
        if self._spool is not None:
            self._spool.close()
        if self._tally is not None:
            self._tally.close()

    def _begin(self) -> None:
        """What comes before the first event. None of it is worth the events: what fails is told and done without."""
        for step in (self._prepare, self._open_spool, self._adopt):
            try:
                step()
            except Exception:  # noqa: BLE001 - as in each turn
                _log.exception("what comes before the first event failed; events are delivered all the same")

    def _open_spool(self) -> None:
        if self._make_spool is not None:
            self._spool = self._make_spool()

    def _new_producer(self) -> Producer | None:
        """A producer; None where this ends before one could be made.

        One cannot be made where a property is wrong, or a file of keys, or where the system gives no further thread:
        whoever mends it need not start us again.
        """
        while not self._stopping:
            try:
                return self._make_producer()
            except Exception as error:  # noqa: BLE001 - the thread must outlive it, or events would pile up in silence
                self._fail(str(error))
                self._failed = False
            until = time.monotonic() + _RETRY_SECONDS
            while not self._stopping and (left := until - time.monotonic()) > 0:
                self._keep_waiting()
                self._settle()
                self._wake.wait(left)
                self._wake.clear()
        return None

    def _settle(self) -> None:
        """Tell the tally what is neither in memory nor on its way any more."""
        if self._tally is not None:
            accepted = self.accepted
            self._tally.settled(accepted - len(self._waiting) - (0 if self._draining else len(self._flying)))

    def _turn(self, producer: Producer) -> Producer | None:
        """Do what there is to do, and wait for more; returns the producer to go on with."""
        if self._failed:
            self._failed = False
            return self._away(producer)
        if self.in_spool:
            self._keep_waiting()
            self._drain(producer)
        else:
            self._send_waiting(producer)
        if self._flying:
            producer.poll(0.01)
        elif not self._waiting or self.in_spool:
            producer.poll(0)
            self._wake.wait(self._pause())
            self._wake.clear()
        if not self._failed:
            self._adopt()
        return producer

    def _pause(self) -> float:
        if self.in_spool and not self._draining:
            return min(_IDLE_SECONDS, max(0.0, self._retry_at - time.monotonic()))
        return _IDLE_SECONDS

    def _send_waiting(self, producer: Producer) -> None:
        for _ in range(min(len(self._waiting), _BATCH)):
            message = self._made(self._waiting[0])
            if message is not None:
                self._waiting[0] = message
                if not self._produce(producer, message):
                    return
            self._waiting.popleft()

    def _made(self, waiting: Message | Make) -> Message | None:
        if isinstance(waiting, Message):
            return waiting
        message = waiting()
        if message is None:
            self.unmade += 1
        if len(self._waiting) < _CROWDED and not self._stopping:
            time.sleep(_BREATH_SECONDS)
        return message

    def _produce(self, producer: Producer, message: Message) -> bool:
        """Hand a message to the producer; False when it takes no more at present."""
        self._sequence += 1
        sequence, generation = self._sequence, self._generation

        def done(error: KafkaError | None, sent: Acknowledgement) -> None:
            if generation == self._generation:
                self._done(sequence, error, sent)

        self._flying[sequence] = message
        try:
            producer.produce(message.topic, message.value, message.key, on_delivery=done)
        except BufferError:
            del self._flying[sequence]
            return False
        except KafkaException as error:
            del self._flying[sequence]
            self._fail(str(error))
            return False
        return True

    def _done(self, sequence: int, error: KafkaError | None, sent: Acknowledgement) -> None:
        if error is not None:
            if error.code() != KafkaError.MSG_SIZE_TOO_LARGE:
                self._fail(error.str())
                return
            del self._flying[sequence]
            self._drop(1, f"the broker takes no event of {len(sent.value() or b'')} bytes")
        else:
            self._report(self._flying.pop(sequence), sent)
        if self._draining and not self._flying:
            self._drained(*self._draining)

    def _fail(self, why: str) -> None:
        self._failed = True
        if not self._is_away:
            self._is_away = True
            _log.warning("events cannot be delivered (%s); they are kept until they can", why)

    def _report(self, message: Message, sent: Acknowledgement) -> None:
        self.delivered += 1
        if self._on_delivery is not None:
            try:
                delivery = Delivery(message.event_id, message.topic, sent.partition() or 0, sent.offset() or 0)
                self._on_delivery(delivery)
            except Exception:  # noqa: BLE001 - the service's own error
                _log.exception("on_delivery failed for event %s", message.event_id)

    def _drain(self, producer: Producer) -> None:
        """Send the oldest of the spool, unless some are on their way already: one to try, then many."""
        # What was sent past the spool must arrive first.
        if self._flying or self._draining or self._spool is None or time.monotonic() < self._retry_at:
            return
        messages, file, head = self._spool.read(self._drain_step)
        if file is None:
            self.in_spool = 0
            return
        self._draining = (file, head)
        for message in messages:
            while not self._produce(producer, message):
                if self._failed:
                    return
                producer.poll(0.01)
        self._sent_of_spool = len(messages)

    def _drained(self, file: SpoolFile, head: int) -> None:
        file.advance(head)
        self.in_spool = max(0, self.in_spool - self._sent_of_spool)
        self._draining = None
        self._drain_step = _BATCH
        if self._is_away:
            self._is_away = False
            _log.warning("events are delivered again")
        if not self._spool:
            self.in_spool = 0

    def _away(self, producer: Producer) -> Producer | None:
        """A delivery failed: keep what was on its way, in its order, and go on with a new producer."""
        self._abandon(producer)
        self._drain_step = 1
        self._retry_at = time.monotonic() + _RETRY_SECONDS
        return self._new_producer()

    def _abandon(self, producer: Producer) -> None:
        """Stop sending by this producer; what it had not delivered is kept."""
        self._generation += 1
        with suppress(KafkaException):
            # Not until each of the client's threads has answered: one that is just ending may never do.
            producer.purge(blocking=False)
            producer.poll(0)
        if not self._draining:
            self._keep(list(self._flying.values()))
        self._flying.clear()
        self._draining = None
        self._keep_waiting()

    def _keep_waiting(self) -> None:
        while self._waiting:
            batch = list(islice(self._waiting, _BATCH))
            made = [message for waiting in batch if (message := self._made(waiting)) is not None]
            self._keep(made)
            for _ in batch:
                self._waiting.popleft()

    def _keep(self, messages: list[Message]) -> None:
        if not messages:
            return
        if self._spool is None:
            self._drop(len(messages), "the broker is away and there is no spool")
        elif self._spool.append(messages):
            self.spooled += len(messages)
            self.in_spool += len(messages)
        else:
            self._drop(len(messages), "the broker is away and the spool is full or cannot be written")

    def _adopt(self) -> None:
        if time.monotonic() < self._adopt_at:
            return
        self._adopt_at = time.monotonic() + _ADOPT_SECONDS
        if self._spool is not None:
            self.in_spool += self._spool.adopt()
        if self._tallies is not None and (lost := lost_by_the_dead(self._tallies)):
            self.lost += lost
            _log.warning("up to %d events were lost with processes of this producer that were killed", lost)

    def _drop(self, count: int, why: str) -> None:
        before, self.dropped = self.dropped, self.dropped + count
        # Of a flood, one line for each power of ten.
        if len(str(self.dropped)) > len(str(before)) or before == 0:
            _log.warning("%d events dropped so far: %s", self.dropped, why)


def _let_go(sender: weakref.ref[Sender]) -> None:
    """In a child after a fork: its copies of the parent's files would hold their locks when the parent is gone."""
    parents = sender()
    if parents is not None:
        parents.let_go()


def producer_settings(address: Address, delivery_seconds: float) -> dict[str, Any]:
    """The producer's settings: let in by the broker, idempotent, keyed as Java's clients do, quiet on its own."""
    own: dict[str, Any] = {
        "enable.idempotence": True,
        "partitioner": "murmur2_random",
        "compression.type": "lz4",
        "linger.ms": 5,
        "delivery.timeout.ms": max(1_000, round(delivery_seconds * 1_000)),
        "request.timeout.ms": max(1_000, min(30_000, round(delivery_seconds * 1_000))),
        "message.max.bytes": 2 * 1024 * 1024,
        "queue.buffering.max.messages": 100_000,
        "reconnect.backoff.max.ms": 2_000,
        "log_level": 2,
        "log.connection.close": False,
    }
    return broker_at(address).client(own)
