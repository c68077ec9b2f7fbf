"""Plays producers in scaled time: each on a thread of its own, through an emitter of its own, recorded as NDJSON.

Each event keeps its planned time, so that every run has the same history. A producer that the machine has held up
for long stamps what it then publishes with the time it is: an event that is really late says so.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Thread
from typing import IO, Any, Final

from console.demo import timeline
from console.demo.planned import Planned
from console.demo.producers import Producer
from seamwatch.clock import Clock
from seamwatch.sdk.reporter import Reporter
from seamwatch.wire.events import Event
from seamwatch.wire.text import text_of

HELD_UP: Final = timeline.LATENESS // 3
_NAP_SECONDS = 0.02
_STOP_SECONDS = 0.2


class Record:
    """Every event of the demo as NDJSON, one object a line, as `replay` and `emit` read it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._file: IO[str] = path.open("w", encoding="utf-8")
        self._lock = Lock()

    def write(self, event: Event) -> None:
        """Append one event."""
        self.write_record(event.type, event.record())

    def write_record(self, record_type: str, record: dict[str, Any]) -> None:
        """Append one event, as a record of its type."""
        line = json.dumps(text_of(record_type, record), separators=(",", ":")) + "\n"
        with self._lock:
            self._file.write(line)
            self.count += 1

    def close(self) -> None:
        """Write out and close."""
        self._file.close()


@dataclass(frozen=True, slots=True)
class Stage:
    """What every producer plays on: the clock, the record, and the event that ends the play early."""

    clock: Clock
    record: Record
    stop: threading.Event


class Player:
    """One producer on its thread."""

    def __init__(self, producer: Producer, reporter: Reporter, stage: Stage) -> None:
        self.name = producer.name
        self.published = 0
        self.held_up = 0
        self.error: BaseException | None = None
        self._events = producer.events
        self._reporter = reporter
        self._stage = stage
        self._thread = Thread(target=self._run, name=f"demo-{producer.name}", daemon=True)

    def start(self) -> None:
        """Begin to play."""
        self._thread.start()

    def join(self) -> None:
        """Wait for the end."""
        self._thread.join()

    def _run(self) -> None:
        try:
            for planned in self._events:
                if not self._wait(planned.at):
                    return
                self._publish(planned)
        except Exception as error:  # noqa: BLE001 - told by whoever joins: a thread has nobody to raise to
            self.error = error

    def _wait(self, until: int) -> bool:
        while (ahead := until - self._stage.clock.now()) > 0:
            if self._stage.stop.wait(min(max(timeline.wall_seconds(ahead), _NAP_SECONDS), _STOP_SECONDS)):
                return False
        return not self._stage.stop.is_set()

    def _publish(self, planned: Planned) -> None:
        now = self._stage.clock.now()
        if now - planned.at > HELD_UP:
            planned = planned.delayed(now)
            self.held_up += 1
        self._reporter.emit(planned.event)
        self._stage.record.write(planned.event)
        self.published += 1
