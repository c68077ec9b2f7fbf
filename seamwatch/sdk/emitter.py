"""The emitter: reports a service's events to the broker, and never delays or fails the decision they report.

    emitter = Emitter("scoring-service")
    emitter.inference(system="credit-scorer", version="2026-03-02", use_case="credit", subject="p-81", score=0.41)
    emitter.close()

An event is checked and encoded where it is reported (tens of microseconds), unless it is left to be made later;
everything else happens in one background thread. When the broker is away events go to disk and are delivered, in
order, when it is back.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confluent_kafka import Producer

from seamwatch.broker import Broker
from seamwatch.clock import Clock
from seamwatch.errors import SeamwatchError
from seamwatch.sdk.addresses import found
from seamwatch.sdk.delivery import Counts, Message, OnDelivery
from seamwatch.sdk.endings import at_end
from seamwatch.sdk.mending import reported
from seamwatch.sdk.reporter import Reporter
from seamwatch.sdk.sender import Sender, producer_settings
from seamwatch.sdk.spool import Spool
from seamwatch.wire.codec import Codec, codec_of
from seamwatch.wire.events import Event
from seamwatch.wire.topics import Topics

if TYPE_CHECKING:
    from seamwatch.sdk.sealer import Seal


class Emitter(Reporter):
    """Reports events as ``producer``. Safe to share between threads, and to use after a fork.

    What is not given comes from the environment (``KAFKA_BOOTSTRAP_SERVERS``, ``SEAMWATCH_PREFIX``,
    ``SEAMWATCH_ENVIRONMENT``, ``SEAMWATCH_SCHEMA_REGISTRY_URL``, ``SEAMWATCH_CLOCK``). Where that names no broker, the
    one of the `seamwatch up` that runs on the folder of ``SEAMWATCH_DATA`` (or on the default one) is meant.

    - ``buffer``: events held in memory at most; beyond it they are dropped and counted.
    - ``spool``: the folder for events while the broker is away (``<SEAMWATCH_DATA>/spool/<producer>`` if not
      given), or False for none; ``spool_limit`` bounds its bytes.
    - ``delivery_timeout``: seconds after which a delivery has failed and the broker counts as away.
    - ``seal``: what is personal in the events, sealed before it leaves this process (`seamwatch.sdk.sealer`).
    - ``on_delivery``: called in the background thread for each event that the broker has.
    - ``strict``: raise RecordError for an event that is not right, instead of counting and logging it.

    Raises UsageError when no broker is named or a setting is wrong; a broker that does not answer is no error.
    """

    def __init__(
        self,
        producer: str,
        *,
        bootstrap: str | Broker | None = None,
        environment: str | None = None,
        prefix: str | None = None,
        buffer: int = 100_000,
        spool: Path | str | bool = True,
        spool_limit: int = 256 * 1024 * 1024,
        delivery_timeout: float = 10.0,
        seal: Seal | None = None,
        on_delivery: OnDelivery | None = None,
        strict: bool = False,
        clock: Clock | None = None,
        codec: Codec | None = None,
        kafka_settings: dict[str, Any] | None = None,
    ) -> None:
        from seamwatch.settings import load_settings  # late: the import of this module is to stay quick

        servers = None if bootstrap is None else str(bootstrap)
        settings, broker = found(load_settings(kafka=servers, environment=environment, prefix=prefix), prefix)
        if isinstance(bootstrap, Broker):
            broker = bootstrap
        super().__init__(producer, settings.environment, clock or settings.clock(), strict=strict)
        self._topics = Topics(settings.prefix)
        self._codec = codec or codec_of(settings)
        self._folder = _spool_folder(spool, settings.data, producer)
        self._spool_limit = spool_limit
        self._buffer = buffer
        self._seal = seal
        self._on_delivery = on_delivery
        self._kafka = producer_settings(broker, delivery_timeout) | (kafka_settings or {})
        self._process = -1
        self._sender: Sender | None = None
        self._closed = False
        self._ending = partial(_close, weakref.ref(self))
        at_end(self._ending)

    @property
    def counts(self) -> Counts:
        """What became of the events so far."""
        sender = self._own_sender
        if sender is None:
            return Counts(0, 0, 0, 0, self._refused, 0, mended=self._mended)
        accepted = sender.accepted - sender.unmade
        return Counts(
            accepted,
            sender.delivered,
            sender.spooled,
            sender.dropped,
            self._refused,
            sender.pending,
            sender.lost,
            self._mended,
        )

    def take(self, event: Event, record: dict[str, Any]) -> None:
        """Encode an event and hand it to the background thread; raises RecordError when it is not right."""
        if self._closed:
            raise SeamwatchError("the emitter is closed")
        self._running().put(self._message(event, record))

    def emit_later(self, make: Callable[[], Event]) -> None:
        """As `emit`, but the event is made, checked and encoded in the background thread, in its turn.

        At once all the same with ``strict``, which is to tell of what is not right, and with ``seal``.
        """
        if self.strict or self._closed or self._seal is not None:
            super().emit_later(make)
            return
        try:
            self._running().put(lambda: self._made(make))
        except Exception as error:  # noqa: BLE001 - the caller's decision comes first, whatever is wrong
            self.refuse(SeamwatchError(f"{type(error).__name__}: {error}"))

    def _made(self, make: Callable[[], Event]) -> Message | None:
        try:
            event = make()
            return self._message(event, self.record_of(event))
        except SeamwatchError as error:
            self.refuse(error)
        except Exception as error:  # noqa: BLE001 - the sender's thread must outlive it
            self.refuse(SeamwatchError(f"{type(error).__name__}: {error}"))
        return None

    def _message(self, event: Event, record: dict[str, Any]) -> Message:
        return reported(partial(self._encoded, event), record, self.note_mended)

    def _encoded(self, event: Event, record: dict[str, Any]) -> Message:
        if self._seal is not None:
            record = self._seal.sealed(event.type, record)
        value = self._codec.encode(event.type, record)
        return Message(self._topics.input(event.type), str(record["system"]).encode(), value, event.event_id)

    def start(self) -> None:
        """Start the background thread before the first event, to deliver at once what an earlier process left."""
        self._running()

    def flush(self, timeout: float = 10.0) -> int:
        """Wait until everything is delivered, ``timeout`` seconds at most; returns how many events are not."""
        sender = self._own_sender
        return 0 if sender is None else sender.flush(timeout)

    def close(self, timeout: float = 5.0) -> int:
        """Flush, keep on disk what could not be delivered, and end; returns how many events are undelivered.

        Does not wait for a broker known to be away. Called by itself when the process ends; events reported after it
        are refused.
        """
        if self._closed:
            return 0
        self._finish()
        self._closed = True
        sender = self._own_sender
        if sender is None:
            return 0
        left = sender.flush(timeout, patient=False)
        sender.stop(timeout)
        return left

    @property
    def _own_sender(self) -> Sender | None:
        """The sender of this process; after a fork there is none before the first event."""
        return self._sender if self._process == os.getpid() else None

    def _running(self) -> Sender:
        if self._sender is None or self._process != os.getpid():
            # After a fork there is no thread, and what the parent holds is the parent's to send.
            self._process = os.getpid()
            at_end(self._ending)
            self._parents = self._sender  # kept, since taking down its producer here could hang
            self._sender = Sender(
                lambda: Producer(self._kafka),
                None if self._folder is None else self._open_spool,
                self._buffer,
                self._on_delivery,
                self._prepare,
                self._folder,
            )
        return self._sender

    def _open_spool(self) -> Spool:
        assert self._folder is not None
        return Spool(self._folder, self._spool_limit)

    def _prepare(self) -> None:
        try:
            self._codec.publish_schemas()
        except SeamwatchError:
            # Single-object framing serves until a later start: every reader accepts it.
            return


def _spool_folder(spool: Path | str | bool, data: Path, producer: str) -> Path | None:
    if spool is False:
        return None
    if spool is True:
        return data / "spool" / "".join(c if c.isalnum() or c in "-_." else "_" for c in producer)
    return Path(spool)


def _close(emitter: weakref.ref[Emitter]) -> None:
    alive = emitter()
    if alive is not None:
        alive.close()
