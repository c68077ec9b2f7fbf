"""The methods by which a service reports events, for everything that takes events: the emitter, and its fake."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, Self
from weakref import WeakMethod

from seamwatch.clock import Clock, SystemClock
from seamwatch.errors import BrokenText, SeamwatchError
from seamwatch.wire.events import (
    Acknowledgement,
    Attestation,
    ConfigChange,
    DatasetRefresh,
    Event,
    Inference,
    Outcome,
    Suspension,
    ToolCall,
)

_log = logging.getLogger("seamwatch.sdk")

P = ParamSpec("P")


def _reports(make: Callable[P, Event]) -> Callable[Concatenate[Reporter, P], str | None]:
    """A method that makes an event of its arguments and emits it; returns the event's id, None if refused."""

    def report(self: Reporter, /, *args: P.args, **fields: P.kwargs) -> str | None:
        try:
            event = make(*args, **fields)
        except TypeError as error:
            # An unknown or missing field must not become an exception in the caller's decision.
            self.refuse(SeamwatchError(str(error).replace("__init__()", "")))
            return None
        return self.emit(event)

    name = getattr(make, "type", "event")
    report.__doc__ = f"Report a {name} event; returns its event_id, or None when it was refused."
    return report


class Reporter(ABC):
    """Takes events. Nothing raises out of these methods unless ``strict``; what is refused is counted and logged."""

    def __init__(self, producer: str, environment: str, clock: Clock | None = None, *, strict: bool = False) -> None:
        self.producer = producer
        self.environment = environment
        self.strict = strict
        self._clock = clock or SystemClock()
        self._refused = 0
        self._mended = 0
        self._before_closing: list[WeakMethod[Callable[[], None]]] = []

    @property
    def clock(self) -> Clock:
        """The clock that dates its events."""
        return self._clock

    inference = _reports(Inference)
    tool_call = _reports(ToolCall)
    config_change = _reports(ConfigChange)
    acknowledgement = _reports(Acknowledgement)
    dataset_refresh = _reports(DatasetRefresh)
    outcome = _reports(Outcome)
    attestation = _reports(Attestation)
    suspension = _reports(Suspension)

    def emit(self, event: Event) -> str | None:
        """Take an event; returns its event_id, or None when it was refused.

        Never waits. Raises only with ``strict``, and only RecordError for an event that is not right.
        """
        try:
            self.take(event, self.record_of(event))
        except SeamwatchError as error:
            self.refuse(error)
            return None
        except Exception as error:  # noqa: BLE001 - the caller's decision comes first, whatever is wrong
            self.refuse(SeamwatchError(f"{type(error).__name__}: {error}"))
            return None
        return event.event_id

    def record_of(self, event: Event) -> dict[str, Any]:
        """The whole record of an event, with the time, producer and environment that it leaves out."""
        return event.record(event_time=self._clock.now(), producer=self.producer, environment=self.environment)

    def emit_later(self, make: Callable[[], Event]) -> None:
        """Take the event that ``make`` returns, which an emitter may ask for in another thread and after this.

        For an event whose maker has checked it. Raises as `emit` does with ``strict``, and then nothing is put off.
        """
        self.emit(make())

    @abstractmethod
    def take(self, event: Event, record: dict[str, Any]) -> None:
        """Take an event and its whole record; raises RecordError when it is not right."""

    def before_closing(self, act: Callable[[], None]) -> None:
        """Have a method called before this closes, for as long as its object lives: to report what is put off."""
        self._before_closing.append(WeakMethod(act))

    def _finish(self) -> None:
        """To be called by ``close`` before anything else."""
        for method in self._before_closing:
            act = method()
            if act is not None:
                act()

    @abstractmethod
    def flush(self, timeout: float = 10.0) -> int:
        """Wait until everything is delivered, ``timeout`` seconds at most; returns how many events are not."""

    @abstractmethod
    def close(self, timeout: float = 5.0) -> int:
        """Flush, keep on disk what could not be delivered, and end; returns how many events are undelivered."""

    def refuse(self, error: SeamwatchError) -> None:
        """Count and log an event that is not right, or raise with ``strict``; of a flood, the 1st, 10th, 100th."""
        self._refused += 1
        if self.strict:
            raise error
        if str(self._refused).strip("0") == "1":
            _log.warning("event refused (%d so far): %s", self._refused, error)

    def note_mended(self, error: BrokenText) -> None:
        """Count and log an event that is sent with a text mended, or raise with ``strict``; of a flood as `refuse`."""
        if self.strict:
            raise error
        self._mended += 1
        if str(self._mended).strip("0") == "1":
            _log.warning("event sent with U+FFFD in the place of half a character (%d so far): %s", self._mended, error)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
