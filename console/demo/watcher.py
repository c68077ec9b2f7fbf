"""Watches violations, pages and what is stated of drills, as anybody may: an ordinary reader of what is committed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Event, Thread
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, KafkaException, Message, TopicPartition

from bus import clients
from console.demo.people import People
from console.demo.sightings import Page, Sightings
from seamwatch.broker import Address
from seamwatch.clock import Clock
from seamwatch.errors import UnreachableError
from seamwatch.incidents import TRIGGER
from seamwatch.judging.model.facts import DRILL, Violation
from seamwatch.judging.records import violation_of
from seamwatch.paging import DELIVERED
from seamwatch.wire.codec import Codec
from seamwatch.wire.topics import Topics

Tell = Callable[[str, Violation, str | None], None]
"""Told of news as it comes: ``opened``, ``paged`` (with the person), or the new state of a violation."""


class Watcher:
    """Reads on a thread of its own until closed; what it reads goes to the sightings, the people and ``tell``."""

    def __init__(
        self,
        kafka: Address,
        topics: Topics,
        kinds: Iterable[str],
        clock: Clock,
        sightings: Sightings,
        people: People,
        tell: Tell,
        stated: Callable[[dict[str, Any]], None],
    ) -> None:
        """``stated``: told each attestation of a drill, which no producer of the demo sends."""
        self._topics = topics
        self._stated = stated
        self._attestations = topics.input("attestation")
        self._names = [*(topics.violations(kind) for kind in kinds), topics.page, self._attestations]
        self._kafka = kafka
        self._clock = clock
        self._sightings = sightings
        self._people = people
        self._tell = tell
        self._codec = Codec()
        self._states: dict[str, str] = {}
        self._early: list[dict[str, Any]] = []
        self._stop = Event()
        self.error: BaseException | None = None
        self._thread = Thread(target=self._run, name="demo-watcher", daemon=True)

    def start(self) -> None:
        """Begin to read, from the beginning."""
        self._thread.start()

    def close(self) -> None:
        """Stop reading."""
        self._stop.set()
        self._thread.join(5)

    def _run(self) -> None:
        try:
            self._watch()
        except Exception as error:  # noqa: BLE001 - told by whoever looks: a thread has nobody to raise to
            self.error = error

    def _watch(self) -> None:
        consumer = clients.consumer(
            self._kafka,
            {
                # Required by the client; nothing is committed under it.
                "group.id": f"{self._topics.prefix}.demo-watcher",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 50,
            },
        )
        try:
            known = consumer.list_topics(timeout=10).topics
            consumer.assign([TopicPartition(n, p, OFFSET_BEGINNING) for n in self._names for p in known[n].partitions])
            while not self._stop.is_set():
                for message in consumer.consume(500, 0.05):
                    self._take(message)
                self._people.react()
        except KafkaException as error:
            raise UnreachableError(f"the violations cannot be read: {error.args[0]}") from error
        finally:
            consumer.close()

    def _take(self, message: Message) -> None:
        value = message.value()
        if message.error() is not None or not isinstance(value, bytes):
            return
        if message.topic() == self._attestations:
            attestation = self._codec.decode("attestation", value)
            if attestation["kind"] == DRILL:
                self._stated(attestation)
        elif message.topic() == self._topics.page:
            record = self._codec.decode("page", value)
            # Those who were told before hear as well how it went on: they are not paged by that.
            if record["news"] == TRIGGER:
                self._early.append(record)
        else:
            self._take_violation(violation_of(self._codec.decode("violation", value)))
        # A page may be read before the violation it tells of: they come by different topics.
        self._early = [page for page in self._early if not self._take_page(page)]

    def _take_violation(self, violation: Violation) -> None:
        if self._sightings.see(violation, self._clock.now()):
            self._tell("opened", violation, None)
        elif self._states.get(violation.violation_id) != violation.state:
            self._tell(violation.state, violation, None)
        self._states[violation.violation_id] = violation.state

    def _take_page(self, record: dict[str, Any]) -> bool:
        sighting = self._sightings.of(record["violation_id"])
        if sighting is None:
            return False
        page = Page(record["violation_id"], record["step"], record["person"], record["sent_at"])
        if self._sightings.see_page(page, record["result"]):
            self._people.page(page, sighting.latest)
            self._tell("paged" if record["result"] == DELIVERED else "not paged", sighting.latest, page.person)
        return True
