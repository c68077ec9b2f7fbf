"""An emitter that keeps what it is given, for tests of the services that report."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from seamwatch.clock import Clock
from seamwatch.errors import SeamwatchError
from seamwatch.sdk.delivery import Counts, Delivery, OnDelivery
from seamwatch.sdk.mending import reported
from seamwatch.sdk.reporter import Reporter
from seamwatch.wire.codec import Codec
from seamwatch.wire.events import Event
from seamwatch.wire.topics import Topics

if TYPE_CHECKING:
    from seamwatch.sdk.sealer import Seal


class RecordingEmitter(Reporter):
    """Takes the place of `seamwatch.Emitter`; ``events`` are the events taken, ``records`` what would be on the wire.

    Events are checked as the real one checks them, and raise when they are not right unless ``strict=False``.
    """

    def __init__(
        self,
        producer: str = "test",
        *,
        environment: str = "test",
        prefix: str = "seamwatch",
        seal: Seal | None = None,
        on_delivery: OnDelivery | None = None,
        strict: bool = True,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(producer, environment, clock, strict=strict)
        self.events: list[Event] = []
        self.records: list[tuple[str, dict[str, Any]]] = []
        self._codec = Codec()
        self._topics = Topics(prefix)
        self._seal = seal
        self._on_delivery = on_delivery
        self._closed = False

    @property
    def counts(self) -> Counts:
        """What became of the events so far: all that were taken are delivered."""
        return Counts(len(self.events), len(self.events), 0, 0, self._refused, 0, mended=self._mended)

    def take(self, event: Event, record: dict[str, Any]) -> None:
        """Keep an event; raises RecordError when it is not right."""
        if self._closed:
            raise SeamwatchError("the emitter is closed")
        value = reported(partial(self._encoded, event), record, self.note_mended)
        self.events.append(event)
        self.records.append((event.type, self._codec.decode(event.type, value)))
        if self._on_delivery is not None:
            self._on_delivery(Delivery(event.event_id, self._topics.input(event.type), 0, len(self.events) - 1))

    def _encoded(self, event: Event, record: dict[str, Any]) -> bytes:
        if self._seal is not None:
            record = self._seal.sealed(event.type, record)
        return self._codec.encode(event.type, record)

    def start(self) -> None:
        """Nothing to start."""

    def flush(self, timeout: float = 10.0) -> int:  # noqa: ARG002 - the real one's
        """Nothing waits."""
        return 0

    def close(self, timeout: float = 5.0) -> int:  # noqa: ARG002 - the real one's
        """Refuse events from now on."""
        self._finish()
        self._closed = True
        return 0
