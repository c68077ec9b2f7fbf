"""Suspensions: what is suspended, followed from the judge's topic in a background thread of the agent's process.

    suspensions = Suspensions()
    guard = Guard.load("contracts/", system="order-agent", version="7", emitter=emitter, suspensions=suspensions)

Asking it costs a look into a dictionary, and no network. While the broker is away the last that was heard holds, also
in a process that starts then, from a file. It verifies no signature: what it follows the judge has concluded, who
alone may write to that topic (docs/suspension.md).
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from seamwatch.broker import Broker
from seamwatch.errors import RecordError, UsageError
from seamwatch.guard.standing import Standing, Table, stopping, table_of
from seamwatch.sdk.addresses import found
from seamwatch.sdk.endings import at_end
from seamwatch.wire.codec import Codec, codec_of
from seamwatch.wire.topics import Topics

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Message

_log = logging.getLogger("seamwatch.guard")

LOOK_SECONDS: Final = 1.0
"""So often the broker is asked whether there is more, which tells how old what is known is."""
STALE_SECONDS: Final = 5.0
"""What is older is said to be, where an act is stopped by it."""
_KEPT_EVERY: Final = 30.0
_AGAIN_SECONDS: Final = 1.0


class Suspensions:
    """What is suspended. Safe to share between guards and threads, and to use after a fork; one a process is enough.

    What is not given comes from the environment, as for an `Emitter`.

    - ``keep``: the file in which the last that was heard lies for processes that start while the broker is away
      (``<SEAMWATCH_DATA>/suspended.json`` if not given), or False for none.
    - ``unheard``: what becomes of acts as long as nothing was ever heard, neither by this process nor in the file.

    Raises UsageError when no broker is named or a setting is wrong; a broker that does not answer is no error.
    """

    def __init__(
        self,
        bootstrap: str | Broker | None = None,
        *,
        prefix: str | None = None,
        keep: Path | str | bool = True,
        unheard: Literal["denied", "allowed"] = "denied",
        codec: Codec | None = None,
    ) -> None:
        from seamwatch.settings import load_settings  # late: the import of this module is to stay quick

        if unheard not in ("denied", "allowed"):
            raise UsageError(f"unheard={unheard!r}: it is 'denied' or 'allowed'")
        servers = None if bootstrap is None else str(bootstrap)
        settings, broker = found(load_settings(kafka=servers, prefix=prefix), prefix)
        self._broker = bootstrap if isinstance(bootstrap, Broker) else broker
        self._topic = Topics(settings.prefix).suspended
        self._codec = codec or codec_of(settings)
        self._file = None if keep is False else settings.data / "suspended.json" if keep is True else Path(keep)
        self._unheard = unheard
        self._latest: dict[str, Mapping[str, Any]] = {}
        self._table: Table = {}
        self._heard_at: float | None = None
        self._written = 0.0
        self._up_to_date = threading.Event()
        self._restore()
        self._process = -1
        self._following: _Following | None = None
        self._closed = False
        at_end(self.close)

    # Asking

    def why_not(self, system: str, version: object, tool: str | None, now: int) -> str | None:
        """Why an act may not happen now, in words; None when nothing that is known stops it. Waits for nothing."""
        if self._process != os.getpid():
            self.start()
        standing = self._table.get(system)
        if standing is None:
            if self._heard_at is None and self._unheard == "denied":
                return f"whether {system} is suspended is not known: nothing was heard yet of what is"
            return None
        stops = stopping(standing, version, tool, now)
        return None if stops is None else self._said(stops)

    def of(self, system: str) -> tuple[Standing, ...]:
        """All that is known to be suspended of a system, the widest first."""
        return self._table.get(system, ())

    @property
    def age(self) -> float | None:
        """How many seconds ago it was known to be up to date; None when nothing was ever heard."""
        return None if self._heard_at is None else max(0.0, time.time() - self._heard_at)

    def wait(self, seconds: float = 10.0) -> bool:
        """Wait until this process has heard all there is, so many seconds at most; whether it has."""
        if self._process != os.getpid():
            self.start()
        return self._up_to_date.wait(seconds)

    def _said(self, standing: Standing) -> str:
        age = self.age
        old = "" if age is None or age < STALE_SECONDS else f" (as heard {age:.0f} s ago: the broker is away)"
        return standing.sentence + old

    # Following

    def start(self) -> None:
        """Start to follow, if this process does not; it is done by itself with the first act."""
        if self._closed or self._process == os.getpid():
            return
        self._process = os.getpid()
        self._up_to_date = threading.Event()  # a parent's may be held by a thread that is not here
        self._following = _Following(self._consumer, self._topic, self._take, self._heard)
        self._following.start()

    def close(self) -> None:
        """Stop to follow; what was heard last holds on. Called by itself when the process ends."""
        self._closed = True
        if self._following is not None and self._process == os.getpid():
            self._following.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _consumer(self) -> Consumer:
        from confluent_kafka import Consumer

        return Consumer(
            self._broker.client(
                {
                    "group.id": f"{self._topic}-followers",  # required by the client, and never joined
                    "enable.auto.commit": False,
                    "isolation.level": "read_committed",
                    "auto.offset.reset": "earliest",
                    "enable.partition.eof": True,
                    "log_level": 0,
                }
            )
        )

    def _take(self, latest: Mapping[str, bytes]) -> None:
        """Know what the messages say, by their keys, in place of all that was known."""
        records: dict[str, Mapping[str, Any]] = {}
        for key, value in latest.items():
            try:
                records[key] = self._codec.decode("suspended", value)
            except RecordError:
                # Unknown is never fine: what was known of it before holds on.
                _log.exception("what is suspended cannot be read: %s", key)
                if key in self._latest:
                    records[key] = self._latest[key]
        for key in (key for key, record in records.items() if self._latest.get(key) != record):
            _log.warning("%s: %s (%s)", records[key]["state"], key, records[key]["reason"])
        self._latest, self._table = records, table_of(records.values())
        self._heard(changed=True)

    def _heard(self, *, changed: bool = False) -> None:
        """Note that what is known is up to date."""
        before, self._heard_at = self._heard_at, time.time()
        if changed or before is None or self._heard_at - self._written >= _KEPT_EVERY:
            self._write()
        self._up_to_date.set()

    # The file

    def _restore(self) -> None:
        if self._file is None or not self._file.exists():
            return
        try:
            kept = json.loads(self._file.read_text("utf-8"))
            if kept["topic"] != self._topic:
                return
            latest: dict[str, Mapping[str, Any]] = {str(key): dict(record) for key, record in kept["latest"].items()}
            self._latest, self._table, self._heard_at = latest, table_of(latest.values()), float(kept["heard_at"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            _log.exception("%s cannot be read, so nothing is known before the broker answers", self._file)

    def _write(self) -> None:
        self._written = time.time()
        if self._file is None:
            return
        beside = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            kept = {"topic": self._topic, "heard_at": self._heard_at, "latest": self._latest}
            beside.write_text(json.dumps(kept, ensure_ascii=False), "utf-8")
            beside.replace(self._file)
        except OSError:
            _log.exception("%s cannot be written, so a process that starts while the broker is away knows less", beside)


class _Following:
    """The thread that follows the topic. It outlives whatever goes wrong: it tries again, and what is known holds."""

    def __init__(
        self,
        consumer: Callable[[], Consumer],
        topic: str,
        take: Callable[[Mapping[str, bytes]], None],
        heard: Callable[[], None],
    ) -> None:
        self._make = consumer
        self._topic = topic
        self._take = take
        self._heard = heard
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="seamwatch-suspensions", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not threading.current_thread():
            self._thread.join(2.0)

    def _run(self) -> None:
        told = False
        while not self._stop.is_set():
            try:
                self._follow()
            except Exception as error:  # noqa: BLE001 - an agent must not lose its kill switch to an odd error
                if not told:
                    _log.warning("what is suspended cannot be followed: %s; the last that was heard holds", error)
                told = True
                self._stop.wait(_AGAIN_SECONDS)

    def _follow(self) -> None:
        from confluent_kafka import OFFSET_BEGINNING, TopicPartition

        consumer = self._make()
        try:
            consumer.assign([TopicPartition(self._topic, 0, OFFSET_BEGINNING)])
            latest: dict[str, bytes] = {}
            at, changed, looked = 0, True, 0.0
            while not self._stop.is_set():
                message = consumer.poll(0.1)
                if message is not None and message.error() is None:
                    _note(message, latest)
                    changed = True
                elif message is not None and _is_end(message):
                    at = message.offset() or 0
                    if changed:
                        self._take(latest)
                        changed = False
                if not changed and time.monotonic() - looked >= LOOK_SECONDS:
                    looked = time.monotonic()
                    if _end_of(consumer, self._topic) <= at:
                        self._heard()
        finally:
            consumer.close()


def _note(message: Message, latest: dict[str, bytes]) -> None:
    key, value = message.key(), message.value()
    name = key.decode(errors="replace") if isinstance(key, bytes) else str(key)
    latest.pop(name, None)
    if isinstance(value, bytes):
        latest[name] = value


def _is_end(message: Message) -> bool:
    from confluent_kafka import KafkaError

    error = message.error()
    return error is not None and error.code() == KafkaError._PARTITION_EOF  # noqa: SLF001 - its own name


def _end_of(consumer: Consumer, topic: str) -> int:
    """Where the topic ends now; far away where the broker does not say."""
    from confluent_kafka import KafkaException, TopicPartition

    try:
        ends = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=LOOK_SECONDS, cached=False)
    except KafkaException:
        return 2**62
    return 2**62 if ends is None else int(ends[1])
