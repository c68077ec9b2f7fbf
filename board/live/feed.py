"""The feed: follows the topics of violations, pages and documents, keeps what is open, and tells the pages of changes.

One thread a process. It begins with what the store has, and with the topics' beginning while that is away; when the
broker is away it says so, tries again, and goes on where it was. It commits nothing and joins no group.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

import structlog
from confluent_kafka import Message

from board.asking import Stores
from board.live.hub import Change, Hub
from board.live.open_episodes import OpenEpisodes, Telling
from board.running import Shown
from bus import clients
from bus.documents import ContractsFollower
from bus.follower_thread import FollowerThread
from bus.partitions import Partition
from bus.reading import Reading
from seamwatch.clock import Clock
from seamwatch.documents import Estate
from seamwatch.errors import RecordError, SeamwatchError
from seamwatch.guard.standing import Table, table_of
from seamwatch.incidents import TRIGGER
from seamwatch.judging.model.facts import Suspended
from seamwatch.judging.records import violation_of
from seamwatch.wire.codec import Codec
from seamwatch.wire.topics import Topics
from sinks.store.positions import recorded
from sinks.store.questions import on_call

log = structlog.get_logger(__name__)

_BATCH: Final = 1_000
_WAIT_SECONDS: Final = 0.2
_LOOK_SECONDS: Final = 3.0
"""How often it is looked whether the broker is there, and has more topics of violations."""
_TIMEOUT_SECONDS: Final = 3.0
_RECORDED_SECONDS: Final = (2.0, 10.0, 30.0)
"""So long after a change of the topics pages hear that the store may have it: it is recorded a moment later."""


class Feed(FollowerThread):
    """What is open now. ``episodes``, ``suspended`` and ``estate`` are read by pages, written by this thread alone."""

    def __init__(self, shown: Shown, stores: Stores, codec: Codec, clock: Clock, hub: Hub) -> None:
        super().__init__("feed", shown.kafka)
        self._shown = shown
        self._stores = stores
        self._codec = codec
        self._clock = clock
        self._hub = hub
        self._topics = Topics(shown.prefix)
        self._positions: dict[Partition, int] = {}
        self._recorded: dict[str, list[float]] = {}
        self.episodes = OpenEpisodes()
        self.estate = Estate(persons={}, systems={})
        self.suspended: Table = {}
        self._suspensions: dict[str, Mapping[str, Any]] = {}
        self.unread = 0
        """How many records could not be read."""
        self.away_since: float | None = time.time()
        """Since when (seconds) what is shown is not kept up to date; None while it is."""
        self.why_away = "the board has just started"

    def _begin(self) -> None:
        """Take what the store holds, and where it ends; without it everything is read from the topics."""
        try:
            with self._stores.open(everything=True) as store:
                positions = recorded(store)
                for violation, at in on_call.states(store):
                    self.episodes.take(violation, self._clock.at(at))
                for told in on_call.tellings(store):
                    self._tell(told.violation_id, told.step, told.person, told.channel, told.result, told.sent_at)
                self._positions = positions
        except SeamwatchError as error:
            log.warning("the board begins without the store", reason=str(error))

    def _follow(self) -> None:
        documents = ContractsFollower(self._shown.kafka, self._shown.prefix, required=self._shown.required)
        consumer = clients.reader(self._shown.kafka, f"{self._shown.prefix}.board", {"log_level": 2})
        try:
            self.estate = documents.estate
            followed = self._followed(consumer.list_topics(timeout=_TIMEOUT_SECONDS).topics)
            reading = Reading(consumer, self._shown.kafka, {place: self._from(place) for place in followed})
            looked = time.monotonic()
            while not self._ended.is_set():
                messages = reading.read(_BATCH, _WAIT_SECONDS)
                news = [change for message in messages if (change := self._take(message)) is not None]
                self._positions.update(reading.at)
                if documents.poll():
                    self.estate = documents.estate
                    news.append(Change("documents"))
                if not reading.left:
                    self._back()
                for change in dict.fromkeys(news):
                    self._hub.tell(change)
                self._tell_what_is_recorded({change.name for change in news})
                if time.monotonic() - looked >= _LOOK_SECONDS:
                    looked = time.monotonic()
                    grown = self._followed(consumer.list_topics(timeout=_TIMEOUT_SECONDS).topics) - followed
                    reading.more(dict.fromkeys(grown, 0))
                    followed |= grown
        finally:
            consumer.close()
            documents.close()

    def _tell_what_is_recorded(self, changed: set[str]) -> None:
        """Tell pages that show what the store has, a while after the topics had it."""
        now = time.monotonic()
        for name in changed:
            soon = [due for due in self._recorded.get(name, []) if due <= now + _RECORDED_SECONDS[0]]
            self._recorded[name] = [*soon[:1], *(now + seconds for seconds in _RECORDED_SECONDS)]
        for name, due in self._recorded.items():
            if due and due[0] <= now:
                self._recorded[name] = [each for each in due if each > now]
                self._hub.tell(Change(f"{name}-recorded"))

    def _followed(self, present: dict[str, object]) -> set[Partition]:
        wanted = (f"{self._shown.prefix}.violations.", self._topics.page, self._topics.suspended)
        return {
            (name, number)
            for name, topic in present.items()
            if name.startswith(wanted[0]) or name in wanted[1:]
            for number in topic.partitions  # type: ignore[attr-defined]  # the client's own metadata
        }

    def _from(self, place: Partition) -> int:
        """Where to begin: what is suspended is read from the beginning, since the store is not asked for it."""
        return 0 if place[0] == self._topics.suspended else self._positions.get(place, 0)

    def _take(self, message: Message) -> Change | None:
        value = message.value()
        if not value:
            return None
        _, sent = message.timestamp()
        try:
            if message.topic() == self._topics.page:
                page = self._codec.decode("page", value)
                if page["news"] != TRIGGER:
                    return None
                told = [page[name] for name in ("violation_id", "step", "person", "channel", "result", "sent_at")]
                return Change("episodes", told[0]) if self._tell(*told) else None
            if message.topic() == self._topics.suspended:
                said = self._codec.decode("suspended", value)
                self._suspensions[Suspended(**said).key] = said
                self.suspended = table_of(self._suspensions.values())
                return Change("suspended", said["system"])
            violation = violation_of(self._codec.decode("violation", value))
        except RecordError as error:
            self.unread += 1
            log.warning("a record could not be read", topic=message.topic(), offset=message.offset(), reason=str(error))
            return None
        is_news = self.episodes.take(violation, self._clock.at(sent * 1_000))
        return Change("episodes", violation.violation_id) if is_news else None

    def _tell(self, violation_id: str, step: int, person: str, channel: str, result: str, sent_at: int) -> bool:
        return self.episodes.tell(violation_id, Telling(step, person, channel, result, sent_at))

    def _away(self, why: str) -> None:
        if self.away_since is None:
            self.away_since = time.time()
            log.warning("the board is not kept up to date", reason=why)
        self.why_away = why
        self._hub.tell(Change("state"))

    def _back(self) -> None:
        if self.away_since is not None:
            self.away_since = None
            self._hub.tell(Change("state"))
            self._hub.tell(Change("episodes"))
